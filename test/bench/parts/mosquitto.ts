/** Mosquitto as the benchmarks' peer: persistence on, windows as wide as ours. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { until } from '../../fakes/within.ts';
import { atExit } from './at-exit.ts';
import { diskFolder } from './disk.ts';

/** What a bench ends with when it is not here. */
export const NO_MOSQUITTO = {
  peer: null,
  against: 'mosquitto',
  ratio: null,
  skipped: 'needs mosquitto (apt-get install mosquitto)',
};
/** Loading a large backlog is part of it. */
const START_LIMIT_MS = 120_000;

export interface Broker {
  readonly name: string;
  readonly port: number;
  /** Starts it, again after a stop; resolves with its process at once. */
  start(): ChildProcess;
  /** Resolves when it takes connections. */
  listening(): Promise<void>;
  /** Stops it in order: it saves what it holds. */
  stop(): Promise<void>;
}

/**
 * Undefined when Mosquitto is not installed. Debian's configuration lets Nagle's algorithm hold small
 * packets back, up to 40 ms each; `noDelay` is what somebody who cares for latency sets.
 */
export async function createBroker(noDelay: boolean): Promise<Broker | undefined> {
  const found = spawnSync('mosquitto', ['-h'], { encoding: 'utf8' });
  if (found.error !== undefined) return undefined;
  const version = found.stdout.split('\n')[0]?.replace(' version', '') ?? 'mosquitto';
  const folder = diskFolder('mosquitto');
  const port = await freePort();
  const config = join(folder, 'mosquitto.conf');
  writeFileSync(
    config,
    [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'persistence true',
      `persistence_location ${folder}/`,
      'max_inflight_messages 1000',
      'max_queued_messages 0',
      `set_tcp_nodelay ${noDelay}`,
      // It would give up root's rights, and with them the folder.
      'user root',
      '',
    ].join('\n'),
  );
  let running: ChildProcess | undefined;
  atExit(() => running?.kill('SIGKILL'));
  return {
    name: noDelay ? `${version} without Nagle` : version,
    port,
    start() {
      running = spawn('mosquitto', ['-c', config], { stdio: 'ignore' });
      return running;
    },
    async listening() {
      let open = false;
      await until(START_LIMIT_MS, 'mosquitto listens', () => {
        const socket = connect(port, '127.0.0.1');
        socket.on('connect', () => {
          open = true;
          socket.destroy();
        });
        socket.on('error', () => {});
        return open;
      });
    },
    async stop() {
      const last = running;
      running = undefined;
      if (last === undefined || last.exitCode !== null) return;
      const ended = once(last, 'exit');
      last.kill('SIGTERM');
      await ended;
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
