/** The peer of the message benchmarks: Mosquitto with persistence, and three Node processes at QoS 1. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

export type Peer = {
  readonly port: number;
  readonly version: string;
  /** Runs a program of ours against it; resolves with its JSON lines when it ends. */
  run(
    program: string,
    argv: readonly string[],
  ): { readonly child: ChildProcess; readonly result: Promise<object[]> };
  stop(): void;
};

/** Undefined when Mosquitto is not installed. */
export async function startMosquitto(): Promise<Peer | undefined> {
  const found = spawnSync('mosquitto', ['-h'], { encoding: 'utf8' });
  if (found.error !== undefined) return undefined;
  const version = found.stdout.split('\n')[0] ?? 'mosquitto';
  const folder = mkdtempSync(join(tmpdir(), 'isolet-mosquitto-'));
  const port = await freePort();
  const config = join(folder, 'mosquitto.conf');
  // Windows as wide as ours, so that neither side waits for an idle other.
  writeFileSync(
    config,
    [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'persistence true',
      `persistence_location ${folder}/`,
      'max_inflight_messages 1000',
      'max_queued_messages 0',
      'user root',
    ].join('\n'),
  );
  const broker = spawn('mosquitto', ['-c', config], { stdio: 'ignore' });
  await new Promise((resolve) => setTimeout(resolve, 500));
  return {
    port,
    version,
    run(program, argv) {
      const child = spawn(process.execPath, [program, String(port), ...argv], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const lines: object[] = [];
      createInterface({ input: child.stdout }).on('line', (line) =>
        lines.push(JSON.parse(line) as object),
      );
      const result = new Promise<object[]>((resolve) => child.on('close', () => resolve(lines)));
      return { child, result };
    },
    stop: () => void broker.kill('SIGKILL'),
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
