/** Data folders with messages waiting in them, as a device leaves them behind. */
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import type { JsonObject } from '../../../src/core/json.ts';
import type { StoreWrite } from '../../../src/core/ports.ts';
import { openSqliteStore, type SqliteStore } from '../../../src/store/sqlite-store.ts';
import { createFakeLog } from '../../fakes/log.ts';
import { backlogBody } from './backlog-body.ts';
import { makeDeviceFolder } from './device-folder.ts';
import { diskFolder } from './disk.ts';

const workerMain = join(import.meta.dirname, '../../../dist/store-worker.cjs');
/** IoT Edge's "no priority" (spec/iotedge.md §5.1). */
const NO_PRIORITY = 2_000_000_000;
const COMMIT_MESSAGES = 1_000;

/** Says when the first message comes, and every `step` messages what it has seen so far. */
const sinkCode = (step: number): string => `
import { ModuleClient } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
await client.open();
let count = 0, last = 0, outOfOrder = 0;
client.on('inputMessage', (input, message) => {
  const { number } = JSON.parse(message.getBytes().toString());
  if (count++ === 0) console.log('first ' + number);
  else if (number !== last + 1) outOfOrder++;
  last = number;
  if (number % ${step} === 0) console.log('at ' + JSON.stringify({ number, count, outOfOrder }));
});
`;

/** A device that was given the module `sink` and has it; nothing waits for it yet. */
export function makeBacklogFolder(step: number): Promise<string> {
  return makeDeviceFolder(sinkCode(step), ['sink']);
}

/** A copy with so many messages waiting for the sink's input. */
export async function fillBacklog(from: string, messages: number): Promise<string> {
  const dataDir = diskFolder('backlog');
  cpSync(from, dataDir, { recursive: true });
  await withStore(dataDir, async (store) => {
    const { lastSeq } = await store.load();
    for (let done = 0; done < messages; done += COMMIT_MESSAGES) {
      const count = Math.min(COMMIT_MESSAGES, messages - done);
      await store.commit(Array.from({ length: count }, (_, at) => append(lastSeq, done + at + 1)));
    }
  });
  return dataDir;
}

/** Whether the module that takes the messages is to run at the next start. */
export async function setSink(dataDir: string, status: 'running' | 'stopped'): Promise<void> {
  await withStore(dataDir, async (store) => {
    const { documents } = await store.load();
    const value = structuredClone(documents['deployment']) as {
      desired: { modules: { sink: Record<string, string> } };
    };
    value.desired.modules.sink['status'] = status;
    await store.commit([
      { kind: 'document', name: 'deployment', value: value as unknown as JsonObject },
    ]);
  });
}

async function withStore(dataDir: string, run: (store: SqliteStore) => Promise<void>) {
  const store = await openSqliteStore({ dataDir, workerMain, log: createFakeLog() });
  await run(store);
  await store.close();
}

function append(lastSeq: number, number: number): StoreWrite {
  return {
    kind: 'append',
    seq: lastSeq + number,
    enqueuedAtMs: Date.now(),
    message: {
      source: '/messages/modules/sensor/outputs/out',
      sender: 'sensor',
      body: Buffer.from(backlogBody(number)),
      properties: {},
      system: { connectionDeviceId: 'edge', connectionModuleId: 'sensor', outputName: 'out' },
    },
    deliveries: [
      { endpoint: 'sink/in', priority: NO_PRIORITY, expiresAtMs: Number.MAX_SAFE_INTEGER },
    ],
  };
}
