/**
 * The log files of one module: `00000001.jsonl` and so on, a line of JSON each. Lines are gathered and
 * appended together; a file that is full is synced and the next begun. Whatever a power cut leaves at the
 * end of one is skipped when it is read.
 */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LogSettings } from '../core/log-shelf.ts';
import type { LogLine } from '../core/summaries.ts';
import { decodeLogLine, encodeLogLine } from './log-line.ts';

export interface LogFiles {
  append(line: LogLine): void;
  /** Bytes gathered and not yet written. */
  pendingBytes(): number;
  /** Bytes of its files, as far as they are known. */
  bytes(): number;
  /** Resolves when they are. */
  known(): Promise<void>;
  /** Writes what was gathered until now. Never rejects: what cannot be written is kept for the next time, within bounds. */
  flush(): Promise<void>;
  read(order: 'oldest' | 'newest'): AsyncIterable<readonly LogLine[]>;
  dropOldest(): Promise<void>;
  remove(): Promise<void>;
}

export type LogFilesDeps = {
  readonly folder: string;
  readonly settings: LogSettings;
  /** The folder may be touched from then on. */
  readonly opened: Promise<void>;
  /** Whether the disk has room for so many more bytes. */
  readonly roomFor: (bytes: number) => Promise<boolean>;
  readonly dropped: (lines: number) => void;
};

type Pending = { readonly number: number; readonly text: string; readonly bytes: number };
type File = { readonly number: number; bytes: number };

/** While the disk is full or fails so many times `pendingBytesMax` are kept in memory. */
const HELD_TIMES = 4;
/** While it is only slow, so many: a module may say thousands of lines when it starts. */
const BURST_TIMES = 32;

export function createLogFiles(deps: LogFilesDeps): LogFiles {
  const { folder, settings, roomFor, dropped } = deps;
  let files: File[] = [];
  let pending: Pending[] = [];
  let pendingBytes = 0;
  let lastLine = 0;
  let lastFile = 0;
  /** The end of the newest file is not ours: begin with a new line. */
  let torn = false;
  /** The last write failed. */
  let failing = false;
  let turn: Promise<void> = deps.opened.then(look);

  /** One thing after the other. */
  function inTurn(run: () => Promise<void>): Promise<void> {
    turn = turn.then(run);
    return turn;
  }

  const pathOf = ({ number }: File): string =>
    join(folder, `${String(number).padStart(8, '0')}.jsonl`);

  async function look(): Promise<void> {
    const names = await readdir(folder).catch(() => []);
    const found: File[] = [];
    for (const name of names.sort()) {
      const number = Number(/^([0-9]{8})\.jsonl$/.exec(name)?.[1] ?? 0);
      if (number === 0) continue;
      const file = { number, bytes: 0 };
      file.bytes = (await stat(pathOf(file)).catch(() => undefined))?.size ?? 0;
      found.push(file);
    }
    files = found;
    const newest = files.at(-1);
    lastFile = newest?.number ?? 0;
    torn = newest !== undefined && newest.bytes > 0;
  }

  async function flush(upTo: number): Promise<void> {
    try {
      for (let next = take(upTo); next.length > 0; next = take(upTo)) await writeOrKeep(next);
      failing = false;
    } catch {
      // The log cannot tell of itself: `dropped` counts, and the next flush tries again.
      failing = true;
      bound();
    }
  }

  /** The first of those gathered: as much as is written at once. */
  function take(upTo: number): readonly Pending[] {
    let bytes = 0;
    const end = pending.findIndex((one) => {
      bytes += one.bytes;
      return one.number > upTo || (bytes > settings.pendingBytesMax && one !== pending[0]);
    });
    const taken = end < 0 ? pending : pending.slice(0, end);
    pending = end < 0 ? [] : pending.slice(end);
    pendingBytes -= sizeOf(taken);
    return taken;
  }

  async function writeOrKeep(lines: readonly Pending[]): Promise<void> {
    const bytes = sizeOf(lines);
    try {
      if (!(await roomFor(bytes))) throw new Error('no room');
      await write(lines.map(({ text }) => text).join(''), bytes);
    } catch (cause) {
      pending = [...lines, ...pending];
      pendingBytes += bytes;
      throw cause;
    }
  }

  async function write(text: string, bytes: number): Promise<void> {
    const current = await fileFor(bytes);
    const handle = await open(pathOf(current), 'a', 0o600);
    try {
      const whole = torn ? `\n${text}` : text;
      try {
        await handle.appendFile(whole);
      } catch (cause) {
        // Half of it is there: written again it would be there twice.
        await handle.truncate(current.bytes).catch(() => {});
        torn = current.bytes > 0;
        throw cause;
      }
      current.bytes += bytes + (torn ? 1 : 0);
      torn = false;
    } finally {
      await handle.close();
    }
  }

  async function fileFor(bytes: number): Promise<File> {
    const newest = files.at(-1);
    const fits = newest !== undefined && newest.bytes + bytes <= settings.fileBytesMax;
    if (newest !== undefined && (fits || newest.bytes === 0)) return newest;
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (newest !== undefined) await sync(pathOf(newest));
    const next = { number: ++lastFile, bytes: 0 };
    files.push(next);
    torn = false;
    while (files.length > settings.filesMax) await dropOldest();
    await sync(folder);
    return next;
  }

  async function dropOldest(): Promise<void> {
    const oldest = files.shift();
    if (oldest !== undefined) await rm(pathOf(oldest), { force: true }).catch(() => {});
  }

  function bound(): void {
    const most = settings.pendingBytesMax * (failing ? HELD_TIMES : BURST_TIMES);
    let gone = 0;
    while (pendingBytes > most && gone < pending.length - 1) {
      pendingBytes -= (pending[gone] as Pending).bytes;
      gone++;
    }
    if (gone === 0) return;
    pending.splice(0, gone);
    dropped(gone);
  }

  async function snapshot(upTo: number): Promise<Snapshot> {
    let parts: Snapshot['parts'] = [];
    let rest: Snapshot['rest'] = [];
    await inTurn(async () => {
      await flush(upTo);
      parts = files.map((file) => ({ path: pathOf(file), bytes: file.bytes }));
      rest = pending
        .filter(({ number }) => number <= upTo)
        .flatMap(({ text }) => decodeLogLine(text) ?? []);
    });
    return { parts, rest };
  }

  return {
    append(line) {
      const text = encodeLogLine(line);
      const bytes = Buffer.byteLength(text);
      pending.push({ number: ++lastLine, text, bytes });
      pendingBytes += bytes;
      bound();
    },
    pendingBytes: () => pendingBytes,
    bytes: () => files.reduce((sum, { bytes }) => sum + bytes, 0),
    known: () => turn,
    flush() {
      const upTo = lastLine;
      return inTurn(() => flush(upTo));
    },
    // Begun now, not when somebody takes the first part: what is appended from here on is for followers.
    read: (order) => partsOf(snapshot(lastLine), order),
    dropOldest: () => inTurn(dropOldest),
    remove: () =>
      inTurn(async () => {
        files = [];
        pending = [];
        pendingBytes = 0;
        await rm(folder, { recursive: true, force: true }).catch(() => {});
      }),
  };
}

/** `rest`: lines that could not be written. */
type Snapshot = {
  readonly parts: readonly { readonly path: string; readonly bytes: number }[];
  readonly rest: readonly LogLine[];
};

async function* partsOf(
  taken: Promise<Snapshot>,
  order: 'oldest' | 'newest',
): AsyncIterable<readonly LogLine[]> {
  const { parts, rest } = await taken;
  if (order === 'newest') yield rest;
  for (const { path, bytes } of order === 'newest' ? parts.toReversed() : parts) {
    yield await readLines(path, bytes);
  }
  if (order === 'oldest') yield rest;
}

const sizeOf = (lines: readonly Pending[]): number =>
  lines.reduce((sum, { bytes }) => sum + bytes, 0);

async function readLines(path: string, bytes: number): Promise<readonly LogLine[]> {
  // Gone: it made room for newer ones meanwhile.
  const content = await readFile(path).catch(() => undefined);
  if (content === undefined) return [];
  const text = content.subarray(0, bytes).toString('utf8');
  return text.split('\n').flatMap((line) => decodeLogLine(line) ?? []);
}

async function sync(path: string): Promise<void> {
  let handle: FileHandle | undefined;
  try {
    handle = await open(path, constants.O_RDONLY);
    await handle.sync();
  } catch {
    // Gone, or a disk that fails: the next write tells.
  } finally {
    await handle?.close();
  }
}
