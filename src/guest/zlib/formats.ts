/** gzip (RFC 1952) and zlib (RFC 1950) around DEFLATE, all at once. */
import { adler32, crc32 } from './checksums.ts';
import { deflate } from './deflate.ts';
import { inflate } from './inflate.ts';
import { badData, endsEarly, tooLarge, zlibError } from './zlib-error.ts';

export type Format = 'gzip' | 'deflate' | 'deflate-raw';

const GZIP_HEAD_BYTES = 10;
const GZIP_TAIL_BYTES = 8;
const LEVEL_DEFAULT = 6;

/** `level` from 0 to 9, or -1 for the usual one. */
export function pack(format: Format, bytes: Uint8Array, level: number): Uint8Array<ArrayBuffer> {
  const effort = level < 0 ? LEVEL_DEFAULT : level;
  const body = deflate(bytes, effort);
  if (format === 'deflate-raw') return body;
  if (format === 'deflate') {
    // A window of 32 KB; the level in two bits; the whole a multiple of 31.
    const kind = 0x7800 | ((effort < 2 ? 0 : effort < 6 ? 1 : effort === 6 ? 2 : 3) << 6);
    const head = kind + 31 - (kind % 31);
    const out = new Uint8Array(body.length + 6);
    const view = new DataView(out.buffer);
    view.setUint16(0, head);
    out.set(body, 2);
    view.setUint32(2 + body.length, adler32(bytes));
    return out;
  }
  const out = new Uint8Array(GZIP_HEAD_BYTES + body.length + GZIP_TAIL_BYTES);
  const view = new DataView(out.buffer);
  // Its magic number, DEFLATE, no time; made on Unix.
  out.set([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, effort === 9 ? 2 : effort === 1 ? 4 : 0, 3]);
  out.set(body, GZIP_HEAD_BYTES);
  view.setUint32(GZIP_HEAD_BYTES + body.length, crc32(bytes), true);
  view.setUint32(GZIP_HEAD_BYTES + body.length + 4, bytes.length, true);
  return out;
}

/** What follows the packed data is left alone, but for more members of a gzip. */
export function unpack(format: Format, packed: Uint8Array, max: number): Uint8Array<ArrayBuffer> {
  if (format === 'deflate-raw') return inflate(packed, 0, max).bytes;
  if (format === 'deflate') return unpackZlib(packed, max);
  const members: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  let at = 0;
  do {
    const { bytes, end } = unpackMember(packed, at, max - size);
    members.push(bytes);
    size += bytes.length;
    if (size > max) throw tooLarge(max);
    at = end;
  } while (isGzip(packed, at));
  if (members.length === 1) return members[0] as Uint8Array<ArrayBuffer>;
  const all = new Uint8Array(size);
  let to = 0;
  for (const member of members) {
    all.set(member, to);
    to += member.length;
  }
  return all;
}

export function isGzip(packed: Uint8Array, at = 0): boolean {
  return packed[at] === 0x1f && packed[at + 1] === 0x8b;
}

function unpackZlib(packed: Uint8Array, max: number): Uint8Array<ArrayBuffer> {
  if (packed.length < 2) throw endsEarly();
  const [kind = 0, flags = 0] = packed;
  if ((kind * 256 + flags) % 31 !== 0) throw badData('incorrect header check');
  if ((kind & 15) !== 8) throw badData('unknown compression method');
  if (kind >> 4 > 7) throw badData('invalid window size');
  if (flags & 0x20) throw zlibError('Z_NEED_DICT', 'Missing dictionary');
  const { bytes, end } = inflate(packed, 2, max);
  if (end + 4 > packed.length) throw endsEarly();
  const view = new DataView(packed.buffer, packed.byteOffset);
  if (view.getUint32(end) !== adler32(bytes)) throw badData('incorrect data check');
  return bytes;
}

function unpackMember(
  packed: Uint8Array,
  from: number,
  max: number,
): { readonly bytes: Uint8Array<ArrayBuffer>; readonly end: number } {
  const start = memberStart(packed, from);
  const { bytes, end } = inflate(packed, start, max);
  if (end + GZIP_TAIL_BYTES > packed.length) throw endsEarly();
  const view = new DataView(packed.buffer, packed.byteOffset);
  if (view.getUint32(end, true) !== crc32(bytes)) throw badData('incorrect data check');
  if (view.getUint32(end + 4, true) !== bytes.length) throw badData('incorrect length check');
  return { bytes, end: end + GZIP_TAIL_BYTES };
}

const HAS_CHECK = 2;
const HAS_EXTRA = 4;
const HAS_NAME = 8;
const HAS_COMMENT = 16;

/** Past the head of a member, which may carry a name and more. */
function memberStart(packed: Uint8Array, from: number): number {
  if (packed.length >= from + 2 && !isGzip(packed, from)) throw badData('incorrect header check');
  if (packed.length < from + GZIP_HEAD_BYTES) throw endsEarly();
  if (packed[from + 2] !== 8) throw badData('unknown compression method');
  const flags = packed[from + 3] as number;
  if (flags & 0xe0) throw badData('unknown header flags set');
  let at = from + GZIP_HEAD_BYTES;
  if (flags & HAS_EXTRA) at += 2 + (packed[at] ?? 0) + 256 * (packed[at + 1] ?? 0);
  for (const flag of [HAS_NAME, HAS_COMMENT]) {
    if (!(flags & flag)) continue;
    const zero = packed.indexOf(0, at);
    if (zero < 0) throw endsEarly();
    at = zero + 1;
  }
  if (flags & HAS_CHECK) at += 2;
  if (at > packed.length) throw endsEarly();
  return at;
}
