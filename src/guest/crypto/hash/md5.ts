/** MD5 (RFC 1321). Broken for signatures since 2004; checksums of files and servers of old still ask for it. */
import type { HashKind } from './block-hash.ts';

const ROTATIONS = [7, 12, 17, 22, 5, 9, 14, 20, 4, 11, 16, 23, 6, 10, 15, 21];

let sines: Int32Array | undefined;

function compress(state: Int32Array, block: DataView, at: number): void {
  sines ??= Int32Array.from({ length: 64 }, (_, i) =>
    Math.floor(Math.abs(Math.sin(i + 1)) * 2 ** 32),
  );
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  for (let i = 0; i < 64; i++) {
    const quarter = i >> 4;
    let mixed: number;
    let word: number;
    if (quarter === 0) {
      mixed = (b & c) | (~b & d);
      word = i;
    } else if (quarter === 1) {
      mixed = (d & b) | (~d & c);
      word = (5 * i + 1) & 15;
    } else if (quarter === 2) {
      mixed = b ^ c ^ d;
      word = (3 * i + 5) & 15;
    } else {
      mixed = c ^ (b | ~d);
      word = (7 * i) & 15;
    }
    const sum = (a + mixed + (sines[i] as number) + block.getInt32(at + word * 4, true)) | 0;
    const turn = ROTATIONS[quarter * 4 + (i & 3)] as number;
    a = d;
    d = c;
    c = b;
    b = (b + ((sum << turn) | (sum >>> (32 - turn)))) | 0;
  }
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
}

export const md5: HashKind = {
  blockBytes: 64,
  digestBytes: 16,
  littleEndian: true,
  start: () => Int32Array.of(0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476),
  compress,
};
