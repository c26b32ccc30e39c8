/** Packs with DEFLATE (RFC 1951), all at once: what was seen before becomes a length and a distance. */

import { DISTANCES, LENGTHS } from './alphabet.ts';
import { createBitWriter } from './bit-writer.ts';
import { type Block, createBlock, kindOf, writeBlock, writeStored } from './deflate-block.ts';

const WINDOW = 32_768;
const MATCH_MIN = 3;
const MATCH_MAX = 258;
const HASH_BITS = 15;
/** Symbols of one block: then codes are made anew. */
const BLOCK_SYMBOLS = 16_384;
/** A stored block has no more. */
const STORED_MAX = 65_535;

/** By level: how many earlier places are looked at, and from which length on the next byte is not tried. */
const EFFORTS: readonly (readonly [tries: number, good: number])[] = [
  [0, 0],
  [4, 0],
  [6, 0],
  [12, 0],
  [16, 8],
  [32, 16],
  [128, 32],
  [256, 64],
  [1024, 128],
  [4096, MATCH_MAX],
];

/** `level` from 0, stored, to 9, small. */
export function deflate(bytes: Uint8Array, level: number): Uint8Array<ArrayBuffer> {
  const writer = createBitWriter(level === 0 ? bytes.length : bytes.length >> 1);
  if (level === 0 || bytes.length === 0) {
    let at = 0;
    do {
      const end = Math.min(at + STORED_MAX, bytes.length);
      writeStored(writer, bytes.subarray(at, end), end === bytes.length);
      at = end;
    } while (at < bytes.length);
    return writer.finish();
  }
  const [tries, good] = EFFORTS[level] ?? [128, 32];
  const matcher = createMatcher(bytes, tries);
  let block = createBlock(BLOCK_SYMBOLS);
  let blockFrom = 0;
  let at = 0;

  function endBlock(isLast: boolean): void {
    writeBlock(writer, block, bytes.subarray(blockFrom, at), isLast);
    block = createBlock(BLOCK_SYMBOLS);
    blockFrom = at;
  }

  while (at < bytes.length) {
    let length = matcher.find(at, 0);
    let distance = matcher.distance();
    // The next byte may begin a longer one.
    while (length >= MATCH_MIN && length < good) {
      const next = matcher.find(at + 1, length);
      if (next <= length) break;
      literal(block, bytes[at] as number);
      at++;
      length = next;
      distance = matcher.distance();
    }
    if (length >= MATCH_MIN) {
      match(block, length, distance);
      at += length;
    } else {
      literal(block, bytes[at] as number);
      at++;
    }
    // A lazy match adds several at a time.
    if (block.count >= BLOCK_SYMBOLS - MATCH_MAX && at < bytes.length) endBlock(false);
  }
  endBlock(true);
  return writer.finish();
}

function literal(block: Block, byte: number): void {
  block.symbols[block.count++] = byte;
  block.literals[byte] = (block.literals[byte] as number) + 1;
}

function match(block: Block, length: number, distance: number): void {
  const kind = 257 + kindOf(LENGTHS.base, length);
  const far = kindOf(DISTANCES.base, distance);
  block.symbols[block.count++] = (length << 16) | distance;
  block.literals[kind] = (block.literals[kind] as number) + 1;
  block.distances[far] = (block.distances[far] as number) + 1;
}

type Matcher = {
  /** The longest match at a place that is longer than `longer`, or 0. Places must ascend. */
  find(at: number, longer: number): number;
  /** Of the match found last. */
  distance(): number;
};

/** Places with the same three bytes are chained, the latest first. */
function createMatcher(bytes: Uint8Array, tries: number): Matcher {
  const heads = new Int32Array(1 << HASH_BITS).fill(-1);
  const earlier = new Int32Array(WINDOW);
  let known = 0;
  let found = 0;

  const hash = (at: number): number =>
    (((bytes[at] as number) << 10) ^ ((bytes[at + 1] as number) << 5) ^ (bytes[at + 2] as number)) &
    ((1 << HASH_BITS) - 1);

  /** All places before this one are chained. */
  function learn(until: number): void {
    for (const end = Math.min(until, bytes.length - MATCH_MIN + 1); known < end; known++) {
      const key = hash(known);
      earlier[known & (WINDOW - 1)] = heads[key] as number;
      heads[key] = known;
    }
  }

  return {
    find(at, longer) {
      if (at + MATCH_MIN > bytes.length) return 0;
      learn(at);
      const lengthMax = Math.min(MATCH_MAX, bytes.length - at);
      let best = longer;
      let place = heads[hash(at)] as number;
      for (let left = tries; left > 0 && place >= 0 && at - place <= WINDOW - 1; left--) {
        if (bytes[place + best] === bytes[at + best]) {
          let length = 0;
          while (length < lengthMax && bytes[place + length] === bytes[at + length]) length++;
          if (length > best) {
            best = length;
            found = at - place;
            if (length === lengthMax) break;
          }
        }
        const next = earlier[place & (WINDOW - 1)] as number;
        if (next >= place) break;
        place = next;
      }
      return best > longer && best >= MATCH_MIN ? best : 0;
    },
    distance: () => found,
  };
}
