/** A zip archive as it is made: each file deflated, nothing held but the list of names for its end. */

import { pipeline, Readable } from 'node:stream';
import { crc32, createDeflateRaw } from 'node:zlib';

export type ZipEntry = {
  /** With slashes. */
  readonly name: string;
  readonly content: AsyncIterable<Uint8Array>;
};

type Written = {
  readonly name: Buffer;
  readonly crc: number;
  readonly packed: number;
  readonly bytes: number;
  readonly at: number;
};

const UTF8_AND_SIZES_BEHIND = 0x0808;
const DEFLATE = 8;
const VERSION = 20;
/** Without zip64, which not every reader knows. */
const BYTES_MAX = 0xffff_ffff;
const ENTRIES_MAX = 0xffff;

/** Times are those of `at`. Throws a RangeError above 4 GB. */
export async function* zip(entries: AsyncIterable<ZipEntry>, at: Date): AsyncIterable<Uint8Array> {
  const written: Written[] = [];
  const time = dosTime(at);
  let offset = 0;
  const counted = (bytes: Uint8Array): Uint8Array => {
    offset += bytes.length;
    if (offset > BYTES_MAX) throw new RangeError('the archive is larger than 4 GB');
    return bytes;
  };
  for await (const { name, content } of entries) {
    const begin = offset;
    const nameBytes = Buffer.from(name);
    yield counted(Buffer.concat([localHeader(nameBytes, time), nameBytes]));
    let crc = 0;
    let bytes = 0;
    const read = async function* (): AsyncIterable<Uint8Array> {
      for await (const part of content) {
        crc = crc32(part, crc);
        bytes += part.length;
        yield part;
      }
    };
    const dataAt = offset;
    // What fails is told to whoever reads.
    const packed = pipeline(Readable.from(read()), createDeflateRaw(), () => {});
    for await (const part of packed) yield counted(part as Uint8Array);
    const entry = { name: nameBytes, crc, packed: offset - dataAt, bytes, at: begin };
    if (written.push(entry) > ENTRIES_MAX) throw new RangeError('too many files for an archive');
    yield counted(descriptor(entry));
  }
  const directoryAt = offset;
  for (const entry of written) {
    yield counted(Buffer.concat([directoryEntry(entry, time), entry.name]));
  }
  yield directoryEnd(written.length, offset - directoryAt, directoryAt);
}

type DosTime = { readonly time: number; readonly date: number };

function localHeader(name: Buffer, { time, date }: DosTime): Buffer {
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x0403_4b50, 0);
  header.writeUInt16LE(VERSION, 4);
  header.writeUInt16LE(UTF8_AND_SIZES_BEHIND, 6);
  header.writeUInt16LE(DEFLATE, 8);
  header.writeUInt16LE(time, 10);
  header.writeUInt16LE(date, 12);
  header.writeUInt16LE(name.length, 26);
  return header;
}

function descriptor({ crc, packed, bytes }: Written): Buffer {
  const text = Buffer.alloc(16);
  text.writeUInt32LE(0x0807_4b50, 0);
  text.writeUInt32LE(crc, 4);
  text.writeUInt32LE(packed, 8);
  text.writeUInt32LE(bytes, 12);
  return text;
}

function directoryEntry(entry: Written, { time, date }: DosTime): Buffer {
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x0201_4b50, 0);
  header.writeUInt16LE(VERSION, 4);
  header.writeUInt16LE(VERSION, 6);
  header.writeUInt16LE(UTF8_AND_SIZES_BEHIND, 8);
  header.writeUInt16LE(DEFLATE, 10);
  header.writeUInt16LE(time, 12);
  header.writeUInt16LE(date, 14);
  header.writeUInt32LE(entry.crc, 16);
  header.writeUInt32LE(entry.packed, 20);
  header.writeUInt32LE(entry.bytes, 24);
  header.writeUInt16LE(entry.name.length, 28);
  header.writeUInt32LE(entry.at, 42);
  return header;
}

function directoryEnd(count: number, bytes: number, at: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x0605_4b50, 0);
  end.writeUInt16LE(count, 8);
  end.writeUInt16LE(count, 10);
  end.writeUInt32LE(bytes, 12);
  end.writeUInt32LE(at, 16);
  return end;
}

/** From 1980 on, in steps of 2 s, in UTC. */
function dosTime(at: Date): DosTime {
  const year = Math.max(1980, at.getUTCFullYear()) - 1980;
  return {
    time: (at.getUTCHours() << 11) | (at.getUTCMinutes() << 5) | (at.getUTCSeconds() >> 1),
    date: (year << 9) | ((at.getUTCMonth() + 1) << 5) | at.getUTCDate(),
  };
}
