/** Debian's docker-registry on a free port, as nobody's or with a lock on it. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './within.ts';

export type DockerRegistry = {
  /** `127.0.0.1:40123` */
  readonly host: string;
  readonly storage: string;
  stop(): Promise<void>;
};

/** False, and said so, when a program of these is not on this machine. */
export function haveRegistry(...more: readonly string[]): boolean {
  for (const program of ['docker-registry', ...more]) {
    if (spawnSync(program, ['--help']).error !== undefined) {
      console.log(`skipped: needs ${program.replace('htpasswd', 'apache2-utils')}`);
      return false;
    }
  }
  return true;
}

/** @param auth lines of its config below `auth:`. @param files beside the config, by name. */
export async function startDockerRegistry(
  auth = '',
  files: Readonly<Record<string, string>> = {},
): Promise<DockerRegistry> {
  const dir = mkdtempSync(join(tmpdir(), 'isolet-registry-'));
  const storage = join(dir, 'storage');
  for (const [name, text] of Object.entries(files)) writeFileSync(join(dir, name), text);
  const config = join(dir, 'config.yml');
  writeFileSync(
    config,
    [
      'version: 0.1',
      'log: { level: info }',
      `storage: { filesystem: { rootdirectory: ${storage} } }`,
      'http: { addr: "127.0.0.1:0" }',
      auth === '' ? '' : `auth:\n${auth.replaceAll('DIR', dir)}`,
      '',
    ].join('\n'),
  );
  const child = spawn('docker-registry', ['serve', config], { stdio: ['ignore', 'pipe', 'pipe'] });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      said += String(chunk);
    });
  }
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  const port = await until(20_000, 'docker-registry', () => {
    if (child.exitCode !== null) throw new Error(`docker-registry ended: ${said}`);
    return /listening on 127\.0\.0\.1:(\d+)/.exec(said)?.[1];
  });
  return {
    host: `127.0.0.1:${port}`,
    storage,
    async stop() {
      child.kill('SIGKILL');
      await ended;
      rmSync(dir, { recursive: true });
    },
  };
}
