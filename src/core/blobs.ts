/** What a module keeps as files of its own (`blobs` of 'isolet'): bytes by name, each whole or not there. */

/** Every limit on one request; what a module may keep in all is in KeepLimits. */
export const BLOB_LIMITS = {
  /** UTF-8 bytes of a name: as base64 it is a file's name. */
  nameBytesMax: 128,
  /** Bytes that cross the border at once. */
  chunkBytesMax: 196_608,
  /** Blobs of one module being written at once. */
  uploadsMax: 8,
  /** Names in one page of a list. */
  pageMax: 1_000,
} as const;

export type BlobEntry = {
  readonly name: string;
  readonly bytes: number;
  /** When it was put, wall clock ms. */
  readonly atMs: number;
};

/** `version` is another for each put. */
export type BlobLook = BlobEntry & { readonly version: string };

export type BlobAsk =
  /** The names after this one, in order. */
  | { readonly what: 'list'; readonly after: string }
  | { readonly what: 'look'; readonly name: string }
  /** Base64 of a part of this version; refused when it was replaced. */
  | {
      readonly what: 'read';
      readonly name: string;
      readonly version: string;
      readonly offset: number;
    }
  /** Replies the number of an upload. */
  | { readonly what: 'begin' }
  | { readonly what: 'append'; readonly upload: number; readonly base64: string }
  /** Durable, and in the place of what had this name, when it is answered. */
  | { readonly what: 'commit'; readonly upload: number; readonly name: string }
  | { readonly what: 'abort'; readonly upload: number }
  /** Replies whether it was there. */
  | { readonly what: 'delete'; readonly name: string };

/** Where blobs lie. Rejects with DISK_FULL and DATA_FOLDER_UNUSABLE. */
export interface BlobShelf {
  list(module: string): Promise<readonly BlobEntry[]>;
  look(module: string, name: string): Promise<BlobLook | undefined>;
  /** Up to so many bytes; undefined when there is none of this version. */
  read(
    module: string,
    name: string,
    version: string,
    offset: number,
    length: number,
  ): Promise<Uint8Array | undefined>;
  begin(module: string): Promise<BlobUpload>;
  remove(module: string, name: string): Promise<void>;
  /** All of a module's. */
  forget(module: string): Promise<void>;
  /** Those that have any. */
  modules(): Promise<readonly string[]>;
}

export interface BlobUpload {
  append(bytes: Uint8Array): Promise<void>;
  commit(name: string): Promise<void>;
  abort(): Promise<void>;
}

/** What is wrong with a request that came out of an isolate. */
export function blobAskProblem(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return 'ask is no object';
  const ask = value as Readonly<Record<string, unknown>>;
  switch (ask['what']) {
    case 'begin':
      return undefined;
    case 'list':
      return text(ask, 'after');
    case 'look':
    case 'delete':
      return text(ask, 'name');
    case 'read':
      return text(ask, 'name') ?? text(ask, 'version') ?? count(ask, 'offset');
    case 'append':
      return count(ask, 'upload') ?? text(ask, 'base64');
    case 'commit':
      return count(ask, 'upload') ?? text(ask, 'name');
    case 'abort':
      return count(ask, 'upload');
    default:
      return 'ask is none there is';
  }
}

function text(ask: Readonly<Record<string, unknown>>, field: string): string | undefined {
  const value = ask[field];
  return typeof value === 'string' && value.isWellFormed() ? undefined : `${field} is no text`;
}

function count(ask: Readonly<Record<string, unknown>>, field: string): string | undefined {
  const value = ask[field];
  return Number.isSafeInteger(value) && (value as number) >= 0 ? undefined : `${field} is no count`;
}
