/**
 * The supervisor's keeper of the prelude's startup snapshot: made on the device by a process of its own
 * while nothing waits for it, kept in a file, given to each host that starts. There is always a way
 * without one, so whatever is wrong with it costs a module some ms of its start and nothing else.
 */
import { type ChildProcess, execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Cancel, Clock, Log } from '../core/ports.ts';
import { readIfThere, writeDurably } from '../lib/durable-file.ts';
import { permissionFlags } from './host-permissions.ts';
import { V8_FLAGS } from './v8-flags.ts';

export type Snapshots = {
  /** For a host that is about to start; undefined = none yet, and soon one is made. */
  current(): Uint8Array | undefined;
  /** A host crashed before any module of its ran: nobody gets it again before our next start. */
  reject(reason: string): void;
  /** Makes none any more. */
  stop(): void;
};

export type SnapshotsOptions = {
  /** Where they lie; nobody but us may write there, for V8 believes them. */
  readonly folder: string;
  /** src/host/snapshot-main.ts, or what it was bundled to. */
  readonly program: string;
  readonly prelude: string;
  readonly clock: Clock;
  readonly log: Log;
  /** How long after the first host one is made, ms: the device has just started, and others come first. */
  readonly calmMs?: number;
  /** How long making one may take, ms: a tenth of a second on a PC. */
  readonly makeMs?: number;
};

const CALM_MS = 10_000;
const MAKE_MS = 60_000;
/** It is half a megabyte. */
const BYTES_MAX = 16_777_216;
const HASH_BYTES = 32;

export function createSnapshots({
  folder,
  program,
  prelude,
  clock,
  log,
  calmMs = CALM_MS,
  makeMs = MAKE_MS,
}: SnapshotsOptions): Snapshots {
  const name = `prelude-${keyOf(prelude)}.snapshot`;
  const file = join(folder, name);
  let child: ChildProcess | undefined;
  let cancel: Cancel = () => {};
  let tried = false;
  let stopped = false;

  function read(): Uint8Array | undefined {
    const kept = readIfThere(file);
    if (kept === undefined) return undefined;
    const blob = kept.subarray(HASH_BYTES);
    if (sha256(blob).equals(kept.subarray(0, HASH_BYTES))) return blob;
    log.warn('the snapshot of the guest platform was damaged, another one is made', { file });
    rmSync(file);
    return undefined;
  }

  function make(): void {
    const flags = [...V8_FLAGS, ...permissionFlags(program, [])];
    const bounds = { timeout: makeMs, maxBuffer: BYTES_MAX, killSignal: 'SIGKILL' } as const;
    const how = { cwd: '/', env: {}, encoding: 'buffer', ...bounds } as const;
    child = execFile(process.execPath, [...flags, program], how, (failed, blob) => {
      child = undefined;
      if (stopped) return;
      try {
        if (failed !== null)
          throw new Error(`its program ended with ${failed.signal ?? failed.code}`);
        keep(Buffer.concat([sha256(blob), blob]));
        log.debug('snapshot of the guest platform made', { bytes: blob.length });
      } catch (cause) {
        warn('made', cause);
      }
    });
    // How it ended tells more.
    child.stdin?.on('error', () => {});
    child.stdin?.end(prelude);
  }

  function keep(bytes: Uint8Array): void {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const other of readdirSync(folder)) {
      if (other !== name) rmSync(join(folder, other), { force: true });
    }
    writeDurably(file, bytes);
  }

  function warn(work: string, cause: unknown): void {
    log.warn(`the snapshot of the guest platform could not be ${work}`, {
      cause: (cause as Error).message,
    });
  }

  return {
    current() {
      try {
        const blob = read();
        if (blob !== undefined) return blob;
      } catch (cause) {
        warn('read', cause);
      }
      // One that could not be made is not tried again before the next start.
      if (!tried) cancel = clock.after(calmMs, make);
      tried = true;
      return undefined;
    },
    reject(reason) {
      log.warn('modules start without the snapshot of the guest platform', { reason });
      tried = true;
      rmSync(file, { force: true });
    },
    stop() {
      stopped = true;
      cancel();
      child?.kill('SIGKILL');
    },
  };
}

/** Whatever a snapshot depends on: another one of any of these is another snapshot. */
function keyOf(prelude: string): string {
  const { node, v8, modules } = process.versions;
  const parts = [node, v8, modules, process.arch, ...V8_FLAGS, prelude];
  return sha256(parts.join('\0')).toString('hex', 0, 8);
}

function sha256(data: string | Uint8Array): Buffer {
  return createHash('sha256').update(data).digest();
}
