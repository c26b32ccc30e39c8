/** Files of a module's own: `import { blobs } from 'isolet'` (docs/modules-api.md). */

import { BLOB_LIMITS, type BlobAsk, type BlobEntry, type BlobLook } from '../../core/blobs.ts';
import type { Json } from '../../core/json.ts';
import { utf8Length } from '../../core/twin-limits.ts';
import { callKept } from './kept-calls.ts';

export type BlobInfo = {
  readonly name: string;
  readonly bytes: number;
  /** When it was put. */
  readonly modified: Date;
};

/** Text is kept as UTF-8. A stream is anything that gives bytes or texts one after the other. */
export type BlobContent = Part | ArrayBuffer | AsyncIterable<Part> | Iterable<Part>;
type Part = Uint8Array | string;

export type Blobs = {
  /** When it resolves it is on the disk; until then the name stays what it was. */
  put(name: string, content: BlobContent): Promise<void>;
  /** All of it, in the module's heap; undefined when there is none. */
  get(name: string): Promise<Uint8Array | undefined>;
  /** Part by part. Ends with an error when the blob is replaced meanwhile, and at once when there is none. */
  stream(name: string): AsyncGenerator<Uint8Array, void, undefined>;
  info(name: string): Promise<BlobInfo | undefined>;
  /** In the order of names. */
  list(prefix?: string): Promise<BlobInfo[]>;
  /** True when it was there. */
  delete(name: string): Promise<boolean>;
};

type WithBase64 = { toBase64(): string };
type FromBase64 = { fromBase64(text: string): Uint8Array };

const ask = (one: BlobAsk): Promise<Json> => callKept({ t: 'blob', ask: one });

function checkName(name: unknown): string {
  if (typeof name === 'string' && name.isWellFormed()) {
    const bytes = utf8Length(name);
    if (bytes > 0 && bytes <= BLOB_LIMITS.nameBytesMax) return name;
  }
  throw Object.assign(
    new TypeError(`The name of a blob must be a text of 1 to ${BLOB_LIMITS.nameBytesMax} bytes.`),
    { code: 'ERR_INVALID_ARG_TYPE' },
  );
}

function toPart(part: unknown): Uint8Array {
  if (part instanceof Uint8Array) return part;
  if (typeof part === 'string') return new TextEncoder().encode(part);
  if (part instanceof ArrayBuffer) return new Uint8Array(part);
  throw Object.assign(
    new TypeError(
      'The content of a blob must be a Uint8Array, an ArrayBuffer, a text, or a stream of them.',
    ),
    { code: 'ERR_INVALID_ARG_TYPE' },
  );
}

function isStream(content: BlobContent): content is AsyncIterable<Part> | Iterable<Part> {
  if (typeof content !== 'object' || content === null || content instanceof Uint8Array)
    return false;
  return Symbol.asyncIterator in content || Symbol.iterator in content;
}

async function write(upload: number, part: Uint8Array): Promise<void> {
  for (let at = 0; at < part.length; at += BLOB_LIMITS.chunkBytesMax) {
    const piece = part.subarray(at, at + BLOB_LIMITS.chunkBytesMax);
    await ask({ what: 'append', upload, base64: (piece as unknown as WithBase64).toBase64() });
  }
}

async function upload(name: string, content: BlobContent): Promise<void> {
  const number = (await ask({ what: 'begin' })) as number;
  try {
    await writeAll(number, content);
    await ask({ what: 'commit', upload: number, name });
  } catch (error) {
    await ask({ what: 'abort', upload: number }).catch(() => {});
    throw error;
  }
}

let turns: number = BLOB_LIMITS.uploadsMax;
const waiting: (() => void)[] = [];

/** No more are written at once than there may be. */
function takeTurn(): Promise<void> | undefined {
  if (turns > 0) return void turns--;
  return new Promise((resolve) => waiting.push(resolve));
}

function endTurn(): void {
  const next = waiting.shift();
  if (next === undefined) turns++;
  else next();
}

/** Small parts of a stream go together. */
async function writeAll(upload: number, content: BlobContent): Promise<void> {
  if (!isStream(content)) return await write(upload, toPart(content));
  let rest = new Uint8Array(0);
  for await (const one of content) {
    const part = toPart(one);
    const joined = new Uint8Array(rest.length + part.length);
    joined.set(rest);
    joined.set(part, rest.length);
    rest = joined;
    if (rest.length < BLOB_LIMITS.chunkBytesMax / 2) continue;
    await write(upload, rest);
    rest = new Uint8Array(0);
  }
  await write(upload, rest);
}

async function look(name: string): Promise<BlobLook | undefined> {
  return ((await ask({ what: 'look', name: checkName(name) })) as BlobLook | null) ?? undefined;
}

async function read({ name, version }: BlobLook, offset: number): Promise<Uint8Array> {
  const text = (await ask({ what: 'read', name, version, offset })) as string;
  return (Uint8Array as unknown as FromBase64).fromBase64(text);
}

const toInfo = ({ name, bytes, atMs }: BlobEntry): BlobInfo => ({
  name,
  bytes,
  modified: new Date(atMs),
});

export const blobs: Blobs = {
  async put(name, content) {
    checkName(name);
    if (!isStream(content)) toPart(content);
    await takeTurn();
    try {
      await upload(name, content);
    } finally {
      endTurn();
    }
  },
  async get(name) {
    const found = await look(name);
    if (found === undefined) return undefined;
    const all = new Uint8Array(found.bytes);
    for (let at = 0; at < all.length; ) {
      const part = await read(found, at);
      all.set(part, at);
      at += part.length;
    }
    return all;
  },
  async *stream(name) {
    const found = await look(name);
    for (let at = 0; found !== undefined && at < found.bytes; ) {
      const part = await read(found, at);
      at += part.length;
      yield part;
    }
  },
  async info(name) {
    const found = await look(name);
    return found && toInfo(found);
  },
  async list(prefix = '') {
    const found: BlobInfo[] = [];
    for (let after = ''; ; ) {
      const page = (await ask({ what: 'list', after })) as readonly BlobEntry[];
      found.push(...page.filter((entry) => entry.name.startsWith(prefix)).map(toInfo));
      if (page.length < BLOB_LIMITS.pageMax) return found;
      after = page.at(-1)?.name ?? '';
    }
  },
  delete: async (name) => (await ask({ what: 'delete', name: checkName(name) })) === true,
};
