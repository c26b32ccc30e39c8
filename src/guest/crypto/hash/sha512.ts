/**
 * SHA-384 and SHA-512 (FIPS 180-4 §6.4, §6.5). V8 has no whole numbers of 64 bits that are fast, so each is
 * two of 32: the state and the schedule hold an upper half, then its lower half.
 */
import type { HashKind } from './block-hash.ts';
import { roundsLower, roundsUpper, SQUARES_384, SQUARES_512, words } from './constants.ts';

const schedule = new Int32Array(160);

function expand(block: DataView, at: number): void {
  for (let i = 0; i < 32; i++) schedule[i] = block.getInt32(at + i * 4);
  for (let i = 32; i < 160; i += 2) {
    const xh = schedule[i - 30] as number;
    const xl = schedule[i - 29] as number;
    const yh = schedule[i - 4] as number;
    const yl = schedule[i - 3] as number;
    const small0h = ((xh >>> 1) | (xl << 31)) ^ ((xh >>> 8) | (xl << 24)) ^ (xh >>> 7);
    const small0l =
      ((xl >>> 1) | (xh << 31)) ^ ((xl >>> 8) | (xh << 24)) ^ ((xl >>> 7) | (xh << 25));
    const small1h = ((yh >>> 19) | (yl << 13)) ^ ((yl >>> 29) | (yh << 3)) ^ (yh >>> 6);
    const small1l =
      ((yl >>> 19) | (yh << 13)) ^ ((yh >>> 29) | (yl << 3)) ^ ((yl >>> 6) | (yh << 26));
    const low =
      (small0l >>> 0) +
      (small1l >>> 0) +
      ((schedule[i - 13] as number) >>> 0) +
      ((schedule[i - 31] as number) >>> 0);
    schedule[i + 1] = low;
    schedule[i] =
      small0h +
      small1h +
      (schedule[i - 14] as number) +
      (schedule[i - 32] as number) +
      ((low / 2 ** 32) | 0);
  }
}

function compress(state: Int32Array, block: DataView, at: number): void {
  const roundsH = roundsUpper();
  const roundsL = roundsLower();
  expand(block, at);
  let ah = state[0] as number;
  let al = state[1] as number;
  let bh = state[2] as number;
  let bl = state[3] as number;
  let ch = state[4] as number;
  let cl = state[5] as number;
  let dh = state[6] as number;
  let dl = state[7] as number;
  let eh = state[8] as number;
  let el = state[9] as number;
  let fh = state[10] as number;
  let fl = state[11] as number;
  let gh = state[12] as number;
  let gl = state[13] as number;
  let hh = state[14] as number;
  let hl = state[15] as number;
  for (let i = 0; i < 80; i++) {
    const big1h =
      ((eh >>> 14) | (el << 18)) ^ ((eh >>> 18) | (el << 14)) ^ ((el >>> 9) | (eh << 23));
    const big1l =
      ((el >>> 14) | (eh << 18)) ^ ((el >>> 18) | (eh << 14)) ^ ((eh >>> 9) | (el << 23));
    const chooseH = (eh & fh) ^ (~eh & gh);
    const chooseL = (el & fl) ^ (~el & gl);
    const oneL =
      (hl >>> 0) +
      (big1l >>> 0) +
      (chooseL >>> 0) +
      ((roundsL[i] as number) >>> 0) +
      ((schedule[i * 2 + 1] as number) >>> 0);
    const oneH =
      (hh +
        big1h +
        chooseH +
        (roundsH[i] as number) +
        (schedule[i * 2] as number) +
        ((oneL / 2 ** 32) | 0)) |
      0;
    const big0h = ((ah >>> 28) | (al << 4)) ^ ((al >>> 2) | (ah << 30)) ^ ((al >>> 7) | (ah << 25));
    const big0l = ((al >>> 28) | (ah << 4)) ^ ((ah >>> 2) | (al << 30)) ^ ((ah >>> 7) | (al << 25));
    const twoL = (big0l >>> 0) + (((al & bl) ^ (al & cl) ^ (bl & cl)) >>> 0);
    const twoH = (big0h + ((ah & bh) ^ (ah & ch) ^ (bh & ch)) + ((twoL / 2 ** 32) | 0)) | 0;
    hh = gh;
    hl = gl;
    gh = fh;
    gl = fl;
    fh = eh;
    fl = el;
    const sumE = (dl >>> 0) + (oneL >>> 0);
    el = sumE | 0;
    eh = (dh + oneH + ((sumE / 2 ** 32) | 0)) | 0;
    dh = ch;
    dl = cl;
    ch = bh;
    cl = bl;
    bh = ah;
    bl = al;
    const sumA = (oneL >>> 0) + (twoL >>> 0);
    al = sumA | 0;
    ah = (oneH + twoH + ((sumA / 2 ** 32) | 0)) | 0;
  }
  add(state, 0, ah, al);
  add(state, 2, bh, bl);
  add(state, 4, ch, cl);
  add(state, 6, dh, dl);
  add(state, 8, eh, el);
  add(state, 10, fh, fl);
  add(state, 12, gh, gl);
  add(state, 14, hh, hl);
}

function add(state: Int32Array, at: number, high: number, low: number): void {
  const sum = ((state[at + 1] as number) >>> 0) + (low >>> 0);
  state[at + 1] = sum;
  state[at] = (state[at] as number) + high + ((sum / 2 ** 32) | 0);
}

function both(hex: string): Int32Array {
  const upper = words(hex, 0);
  const lower = words(hex, 1);
  return Int32Array.from({ length: 16 }, (_, i) => (i & 1 ? lower : upper)[i >> 1] as number);
}

const kind = { blockBytes: 128, littleEndian: false, compress } as const;

export const sha512: HashKind = { ...kind, digestBytes: 64, start: () => both(SQUARES_512) };
export const sha384: HashKind = { ...kind, digestBytes: 48, start: () => both(SQUARES_384) };
