/** SHA-224 and SHA-256 (FIPS 180-4 §6.2, §6.3). */
import type { HashKind } from './block-hash.ts';
import { roundsUpper, SQUARES_384, SQUARES_512, words } from './constants.ts';

const schedule = new Int32Array(64);

function compress(state: Int32Array, block: DataView, at: number): void {
  const rounds = roundsUpper();
  for (let i = 0; i < 16; i++) schedule[i] = block.getInt32(at + i * 4);
  for (let i = 16; i < 64; i++) {
    const x = schedule[i - 15] as number;
    const y = schedule[i - 2] as number;
    const small0 = ((x << 25) | (x >>> 7)) ^ ((x << 14) | (x >>> 18)) ^ (x >>> 3);
    const small1 = ((y << 15) | (y >>> 17)) ^ ((y << 13) | (y >>> 19)) ^ (y >>> 10);
    schedule[i] = small0 + (schedule[i - 7] as number) + small1 + (schedule[i - 16] as number);
  }
  let a = state[0] as number;
  let b = state[1] as number;
  let c = state[2] as number;
  let d = state[3] as number;
  let e = state[4] as number;
  let f = state[5] as number;
  let g = state[6] as number;
  let h = state[7] as number;
  for (let i = 0; i < 64; i++) {
    const big1 = ((e << 26) | (e >>> 6)) ^ ((e << 21) | (e >>> 11)) ^ ((e << 7) | (e >>> 25));
    const one =
      (h + big1 + ((e & f) ^ (~e & g)) + (rounds[i] as number) + (schedule[i] as number)) | 0;
    const big0 = ((a << 30) | (a >>> 2)) ^ ((a << 19) | (a >>> 13)) ^ ((a << 10) | (a >>> 22));
    const two = (big0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    h = g;
    g = f;
    f = e;
    e = (d + one) | 0;
    d = c;
    c = b;
    b = a;
    a = (one + two) | 0;
  }
  state[0] = (state[0] as number) + a;
  state[1] = (state[1] as number) + b;
  state[2] = (state[2] as number) + c;
  state[3] = (state[3] as number) + d;
  state[4] = (state[4] as number) + e;
  state[5] = (state[5] as number) + f;
  state[6] = (state[6] as number) + g;
  state[7] = (state[7] as number) + h;
}

const kind = { blockBytes: 64, littleEndian: false, compress } as const;

export const sha256: HashKind = { ...kind, digestBytes: 32, start: () => words(SQUARES_512, 0) };
export const sha224: HashKind = { ...kind, digestBytes: 28, start: () => words(SQUARES_384, 1) };
