/**
 * Blobs over HTTP as Azure's Blob service takes them: block blobs in pieces that are put together at the
 * end, and append blobs. A piece is a request; one that fails is tried again, and no piece is there twice.
 */
import { createHash } from 'node:crypto';
import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { Fault } from '../core/fault.ts';
import type { BlobContainer, BlobWrite, GiveUp } from '../core/uploads.ts';
import { type BlobAnswer, type BlobDoor, type BlobDoorDeps, createBlobDoor } from './blob-door.ts';
import { pieces } from './pieces.ts';

export type ContainerSettings = {
  /** Bytes of one piece; one is in memory at a time. */
  readonly pieceBytes: number;
  /** Of one blob. Azure's own limit is 50,000 pieces. */
  readonly blobBytesMax: number;
};

const CONTAINER_SETTINGS: ContainerSettings = {
  pieceBytes: 1_048_576,
  blobBytesMax: 268_435_456,
};

/** Throws UPLOAD_REFUSED when `sasUrl` is no URL of a container with a token. */
export function openBlobContainer(
  sasUrl: string,
  deps: BlobDoorDeps,
  settings: ContainerSettings = CONTAINER_SETTINGS,
): BlobContainer {
  const door = createBlobDoor(sasUrl, deps);
  return {
    async write(blob, giveUp) {
      const content = blob.gzip ? compressed(blob.content) : blob.content;
      const bounded = atMost(content, settings.blobBytesMax, blob.name);
      const parts = pieces(bounded, settings.pieceBytes);
      if (blob.kind === 'block') await writeBlocks(door, blob, parts, giveUp);
      else await writeAppends(door, blob, parts, giveUp);
    },
  };
}

type Parts = AsyncIterable<Uint8Array>;

async function writeBlocks(
  door: BlobDoor,
  blob: BlobWrite,
  parts: Parts,
  giveUp: GiveUp,
): Promise<void> {
  const ids: string[] = [];
  for await (const body of parts) {
    // All ids of a blob must be equally long.
    const id = Buffer.from(String(ids.length).padStart(8, '0')).toString('base64');
    ids.push(id);
    const query = { comp: 'block', blockid: id };
    await door.put(blob.name, { query, headers: md5Of(body), body }, giveUp);
  }
  const list = ids.map((id) => `<Latest>${id}</Latest>`).join('');
  const body = Buffer.from(`<?xml version="1.0" encoding="utf-8"?><BlockList>${list}</BlockList>`);
  const headers = { ...blobHeaders(blob), 'content-type': 'text/plain; charset=UTF-8' };
  await door.put(blob.name, { query: { comp: 'blocklist' }, headers, body }, giveUp);
}

async function writeAppends(
  door: BlobDoor,
  blob: BlobWrite,
  parts: Parts,
  giveUp: GiveUp,
): Promise<void> {
  const headers = { 'x-ms-blob-type': 'AppendBlob', ...blobHeaders(blob) };
  await door.put(blob.name, { query: {}, headers, body: new Uint8Array(0) }, giveUp);
  let at = 0;
  for await (const body of parts) {
    const where = { 'x-ms-blob-condition-appendpos': String(at), ...md5Of(body) };
    const appended = at + body.length;
    await door.put(blob.name, { query: { comp: 'appendblock' }, headers: where, body }, giveUp, {
      // The try before this one arrived, and its answer was lost.
      done: ({ status, code, attempt }: BlobAnswer) =>
        attempt > 1 && status === 412 && code === 'AppendPositionConditionNotMet',
    });
    at = appended;
  }
}

function blobHeaders({ contentType, gzip }: BlobWrite): Readonly<Record<string, string>> {
  return {
    'x-ms-blob-content-type': contentType,
    ...(gzip ? { 'x-ms-blob-content-encoding': 'gzip' } : {}),
  };
}

/** What arrives broken is refused, and sent again. */
function md5Of(body: Uint8Array): Readonly<Record<string, string>> {
  return { 'content-md5': createHash('md5').update(body).digest('base64') };
}

function compressed(content: Parts): Parts {
  // What fails is told to whoever reads.
  return pipeline(Readable.from(content), createGzip(), () => {});
}

async function* atMost(content: Parts, bytesMax: number, name: string): Parts {
  let bytes = 0;
  for await (const part of content) {
    bytes += part.length;
    if (bytes > bytesMax) {
      throw new Fault('UPLOAD_REFUSED', `${name} is larger than ${bytesMax} bytes: ask for less`);
    }
    yield part;
  }
}
