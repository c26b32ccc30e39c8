/**
 * Strong random bytes without asking the host: ChaCha20 (RFC 8439 §2.3) under a key the host's own
 * generator gave at the boot. Each refill makes the next key first and forgets the one it used, and
 * what was handed out is wiped, so that nobody who reads the memory later learns what came before
 * (docs/decisions/0015).
 */
import { takeSeam } from '../seam.ts';

const KEY_BYTES = 32;
const BLOCK_BYTES = 64;
const POOL_BLOCKS = 16;

/** ChaCha20's `expand 32-byte k`. */
const CONSTANTS = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574] as const;

/**
 * One block of the key stream, without a nonce: no key is used twice. `state` is 16 words to work in.
 * Bytes are those of the standard on the machines we run on, which are little-endian.
 */
export function chachaBlock(
  key: Uint32Array,
  counter: number,
  state: Uint32Array,
  out: Uint32Array,
  at: number,
): void {
  for (let i = 0; i < 4; i++) state[i] = CONSTANTS[i] as number;
  for (let i = 0; i < 8; i++) state[4 + i] = key[i] as number;
  state[12] = counter;
  state[13] = state[14] = state[15] = 0;
  for (let i = 0; i < 16; i++) out[at + i] = state[i] as number;
  for (let round = 0; round < 10; round++) {
    for (let i = 0; i < 4; i++) quarter(state, i, i + 4, i + 8, i + 12);
    for (let i = 0; i < 4; i++) {
      quarter(state, i, 4 + ((i + 1) & 3), 8 + ((i + 2) & 3), 12 + ((i + 3) & 3));
    }
  }
  for (let i = 0; i < 16; i++) out[at + i] = (out[at + i] as number) + (state[i] as number);
}

function quarter(state: Uint32Array, a: number, b: number, c: number, d: number): void {
  let va = state[a] as number;
  let vb = state[b] as number;
  let vc = state[c] as number;
  let vd = state[d] as number;
  va = (va + vb) | 0;
  vd = rotate(vd ^ va, 16);
  vc = (vc + vd) | 0;
  vb = rotate(vb ^ vc, 12);
  va = (va + vb) | 0;
  vd = rotate(vd ^ va, 8);
  vc = (vc + vd) | 0;
  vb = rotate(vb ^ vc, 7);
  state[a] = va;
  state[b] = vb;
  state[c] = vc;
  state[d] = vd;
}

function rotate(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** Fills the bytes it is given. */
export type Random = (bytes: Uint8Array) => void;

/** Takes the seed's 32 bytes over, and leaves zeros. */
export function createRandom(seed: Uint8Array): Random {
  const key = new Uint32Array(KEY_BYTES / 4);
  const keyBytes = new Uint8Array(key.buffer);
  keyBytes.set(seed.subarray(0, KEY_BYTES));
  seed.fill(0);
  const words = new Uint32Array((POOL_BLOCKS * BLOCK_BYTES) / 4);
  const pool = new Uint8Array(words.buffer);
  const state = new Uint32Array(16);
  let used = pool.length;

  function refill(): void {
    for (let i = 0; i < POOL_BLOCKS; i++) chachaBlock(key, i, state, words, i * 16);
    state.fill(0);
    keyBytes.set(pool.subarray(0, KEY_BYTES));
    pool.fill(0, 0, KEY_BYTES);
    used = KEY_BYTES;
  }

  return (bytes) => {
    let at = 0;
    while (at < bytes.length) {
      if (used === pool.length) refill();
      const end = Math.min(pool.length, used + bytes.length - at);
      const part = pool.subarray(used, end);
      bytes.set(part, at);
      part.fill(0);
      at += end - used;
      used = end;
    }
  };
}

let random: Random | undefined;

/** Those of this module: all of a bundle's code draws from one generator. */
export function fillRandom(bytes: Uint8Array): void {
  random ??= createRandom(takeSeam().takeSeed());
  random(bytes);
}

/** Version 4 (RFC 9562 §5.4), in lower case. */
export function randomUuid(): string {
  const bytes = new Uint8Array(16);
  fillRandom(bytes);
  bytes[6] = ((bytes[6] as number) & 0x0f) | 0x40;
  bytes[8] = ((bytes[8] as number) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
