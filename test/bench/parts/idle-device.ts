/** The real supervisor's program with modules that wait for messages which never come. */
import { join } from 'node:path';
import { ask } from '../../../src/cli/api-client.ts';
import type { RuntimeSummary } from '../../../src/core/summaries.ts';
import { shippedCommand } from '../../e2e/programs.ts';
import { makeDeviceFolder } from './device-folder.ts';
import { type SpeakingProcess, startSpeaking } from './speaking-process.ts';

/** A module as its author writes it, up to its first message. */
const IDLE = `
import { ModuleClient } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
await client.open();
client.on('inputMessage', (input, message) => client.complete(message, () => {}));
console.log('module waits');
`;

export interface IdleDevice {
  readonly pid: number;
  hostPid(): Promise<number>;
  /** Resolves when modules have come to wait so many times since the start. */
  waiting(count: number): Promise<void>;
  kill(): Promise<void>;
}

/** A folder to start it on, again and again. */
export function makeIdleFolder(modules: number): Promise<string> {
  return makeDeviceFolder(
    IDLE,
    Array.from({ length: modules }, (_, at) => `module${at + 1}`),
  );
}

/** `node`: the binary that runs it. */
export function startIdleDevice(dataDir: string, node = process.execPath): IdleDevice {
  const program = join(import.meta.dirname, '../../../dist/supervisor.cjs');
  const config = join(dataDir, 'config.toml');
  const { flags, env } = shippedCommand('supervisor');
  const running: SpeakingProcess = startSpeaking(
    node,
    [...flags, program, '--config', config],
    env,
  );
  return {
    pid: running.pid,
    async hostPid() {
      const { hosts } = await ask<RuntimeSummary>(join(dataDir, 'api.sock'), '/status');
      return hosts['shared'] as number;
    },
    waiting: (count) => running.said('module waits', count),
    kill: running.kill,
  };
}
