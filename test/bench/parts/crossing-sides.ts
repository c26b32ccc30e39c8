/** Three borders to carry messages over: an isolate's, a process's and a thread's. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { GuestEvent } from '../../../src/core/guest-protocol.ts';
import { bundleSource } from '../../e2e/device.ts';
import { within } from '../../fakes/within.ts';
import { atExit } from './at-exit.ts';
import { MODULE, PROGRAM, WINDOW } from './crossing-modules.ts';
import { diskFolder } from './disk.ts';
import { createShippedHost, done, keptBundles, startOf } from './shipped-host.ts';

/** Each resolves when all have been answered. */
export interface Crossing {
  readonly name: string;
  into(count: number, bytes: number): Promise<void>;
  outOf(count: number, bytes: number): Promise<void>;
}

/** As many as the supervisor hands over at once. */
const BATCH = 100;
const LIMIT_MS = 60_000;

export async function isolateCrossing(): Promise<Crossing> {
  const image = await bundleSource('crossing', MODULE);
  const bundle = await (await keptBundles([image])).find(image);
  if (bundle === undefined) throw new Error(`the bundle ${image} is not kept`);
  let acked: (count: number) => void = () => {};
  let came: (count: number) => void = () => {};
  const listens = Promise.withResolvers<void>();
  const running = (await createShippedHost()).start(startOf('crossing', bundle), {
    started() {},
    requests(requests) {
      const answers: GuestEvent[] = [];
      let acks = 0;
      for (const request of requests) {
        if (request.t === 'ack') acks += request.ids.length;
        else if (request.t === 'send') answers.push(done(request.call));
        else if (request.t === 'listen' && request.what === 'inputs') listens.resolve();
      }
      if (answers.length > 0) running.post(answers, []);
      came(answers.length);
      acked(acks);
      return undefined;
    },
    ended: ({ reason }) => listens.reject(new Error(reason)),
  });
  await within(LIMIT_MS, 'the module listens', listens.promise);

  const input = (id: number, name: string, body: string): GuestEvent => {
    return { t: 'input', id, input: name, p: {}, s: {}, b: body };
  };
  let lastId = 0;
  return {
    name: 'isolet',
    into(count, bytes) {
      const body = 'x'.repeat(bytes);
      return counted(count, (heard) => {
        let sent = 0;
        let open = 0;
        const more = (): void => {
          while (sent < count && open <= WINDOW - BATCH) {
            const batch = Array.from({ length: Math.min(BATCH, count - sent) }, () =>
              input(++lastId, 'take', body),
            );
            sent += batch.length;
            open += batch.length;
            running.post(batch, []);
          }
        };
        acked = (acks) => {
          open -= acks;
          heard(acks);
          more();
        };
        more();
      });
    },
    outOf(count, bytes) {
      acked = () => {};
      return counted(count, (heard) => {
        came = heard;
        running.post([input(++lastId, 'give', JSON.stringify({ count, bytes }))], []);
      });
    },
  };
}

type Note = { readonly id?: number; readonly ack?: number };
type Channel = { send(value: object): void; onMessage(heard: (note: Note) => void): void };

export async function processCrossing(): Promise<Crossing> {
  const child = fork(programFile(), { execArgv: [] });
  atExit(() => child.kill('SIGKILL'));
  await once(child, 'message');
  return channelCrossing(`IPC of Node ${process.version} with a child`, {
    send: (value) => void child.send(value),
    onMessage: (heard) => void child.removeAllListeners('message').on('message', heard),
  });
}

export async function threadCrossing(): Promise<Crossing> {
  const worker = new Worker(programFile());
  await once(worker, 'message');
  return channelCrossing('postMessage with a worker thread', {
    send: (value) => worker.postMessage(value),
    onMessage: (heard) => void worker.removeAllListeners('message').on('message', heard),
  });
}

/** One note per message and one per answer: a channel of Node's has no batches. */
function channelCrossing(name: string, { send, onMessage }: Channel): Crossing {
  return {
    name,
    into(count, bytes) {
      const body = 'x'.repeat(bytes);
      return counted(count, (heard) => {
        let sent = 0;
        let open = 0;
        const more = (): void => {
          for (; sent < count && open < WINDOW; open++) {
            send({ id: ++sent, input: 'take', properties: {}, body });
          }
        };
        onMessage(() => {
          open--;
          heard(1);
          more();
        });
        more();
      });
    },
    outOf(count, bytes) {
      return counted(count, (heard) => {
        onMessage(({ id }) => {
          send({ ack: id });
          heard(1);
        });
        send({ give: { count, bytes } });
      });
    },
  };
}

/** Until `heard` was told of so many. */
function counted(count: number, run: (heard: (some: number) => void) => void): Promise<void> {
  let left = count;
  const all = new Promise<void>((resolve) => {
    run((some) => {
      left -= some;
      if (left <= 0) resolve();
    });
  });
  return within(LIMIT_MS, 'all messages', all);
}

function programFile(): string {
  const file = join(diskFolder('crossing'), 'crossing.mjs');
  writeFileSync(file, PROGRAM);
  return file;
}
