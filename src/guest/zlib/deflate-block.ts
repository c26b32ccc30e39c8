/** One block of DEFLATE, in whichever of its three forms is the shortest (RFC 1951 §3.2.3). */
import {
  CODE_BITS_MAX,
  codesOf,
  DISTANCES,
  END_OF_BLOCK,
  FIXED_DISTANCES,
  FIXED_LITERALS,
  LENGTHS,
  LENGTHS_FROM,
  ORDER,
} from './alphabet.ts';
import type { BitWriter } from './bit-writer.ts';
import { codeLengths } from './huffman.ts';

export type Block = {
  /** A byte, or a length times 65,536 and a distance. */
  readonly symbols: Uint32Array;
  count: number;
  /** How often each comes. */
  readonly literals: Uint32Array;
  readonly distances: Uint32Array;
};

export function createBlock(symbolsMax: number): Block {
  return {
    symbols: new Uint32Array(symbolsMax),
    count: 0,
    literals: new Uint32Array(286),
    distances: new Uint32Array(30),
  };
}

const STORED = 0;
const FIXED = 1;
const DYNAMIC = 2;
/** Longest code of a code's length. */
const SMALL_BITS_MAX = 7;
const STORED_MAX = 65_535;

/** `bytes` are those the block stands for. */
export function writeBlock(
  writer: BitWriter,
  block: Block,
  bytes: Uint8Array,
  isLast: boolean,
): void {
  block.literals[END_OF_BLOCK] = 1;
  const literals = codeLengths(block.literals, CODE_BITS_MAX);
  const distances = codeLengths(block.distances, CODE_BITS_MAX);
  // There is always a length told of one distance.
  if (distances.every((length) => length === 0)) distances[0] = 1;
  const head = describeCodes(trimmed(literals, 257), trimmed(distances, 1));
  const dynamicBits = head.bits + bodyBits(block, literals, distances);
  const fixedBits = bodyBits(block, FIXED_LITERALS, FIXED_DISTANCES);
  const storedBits = bytes.length > STORED_MAX ? Number.POSITIVE_INFINITY : bytes.length * 8 + 39;
  if (storedBits <= Math.min(dynamicBits, fixedBits)) return writeStored(writer, bytes, isLast);
  writer.put(isLast ? 1 : 0, 1);
  if (fixedBits <= dynamicBits) {
    writer.put(FIXED, 2);
    return writeBody(writer, block, FIXED_LITERALS, FIXED_DISTANCES);
  }
  writer.put(DYNAMIC, 2);
  head.write(writer);
  writeBody(writer, block, literals, distances);
}

/** Of at most 65,535 bytes. */
export function writeStored(writer: BitWriter, bytes: Uint8Array, isLast: boolean): void {
  writer.put(isLast ? 1 : 0, 1);
  writer.put(STORED, 2);
  const { length } = bytes;
  writer.bytes(Uint8Array.of(length, length >> 8, ~length, ~length >> 8));
  writer.bytes(bytes);
}

function bodyBits(block: Block, literals: Uint8Array, distances: Uint8Array): number {
  let bits = 0;
  for (let i = 0; i < block.literals.length; i++) {
    const extra = LENGTHS.bits[i - LENGTHS_FROM] ?? 0;
    bits += (block.literals[i] as number) * ((literals[i] as number) + extra);
  }
  for (let i = 0; i < block.distances.length; i++) {
    const each = (distances[i] as number) + (DISTANCES.bits[i] as number);
    bits += (block.distances[i] as number) * each;
  }
  return bits;
}

function writeBody(
  writer: BitWriter,
  { symbols, count }: Block,
  literals: Uint8Array,
  distances: Uint8Array,
): void {
  const literalCodes = codesOf(literals);
  const distanceCodes = codesOf(distances);
  for (let i = 0; i < count; i++) {
    const symbol = symbols[i] as number;
    const length = symbol >>> 16;
    if (length === 0) {
      writer.put(literalCodes[symbol] as number, literals[symbol] as number);
      continue;
    }
    const kind = kindOf(LENGTHS.base, length);
    writer.put(
      literalCodes[LENGTHS_FROM + kind] as number,
      literals[LENGTHS_FROM + kind] as number,
    );
    writer.put(length - (LENGTHS.base[kind] as number), LENGTHS.bits[kind] as number);
    const distance = symbol & 0xffff;
    const far = kindOf(DISTANCES.base, distance);
    writer.put(distanceCodes[far] as number, distances[far] as number);
    writer.put(distance - (DISTANCES.base[far] as number), DISTANCES.bits[far] as number);
  }
  writer.put(literalCodes[END_OF_BLOCK] as number, literals[END_OF_BLOCK] as number);
}

/** The last range that begins at or below the value. */
export function kindOf(base: Uint16Array, value: number): number {
  let low = 0;
  let high = base.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((base[middle] as number) <= value) low = middle;
    else high = middle;
  }
  return low;
}

/** Without the zeros at its end. */
function trimmed(lengths: Uint8Array, min: number): Uint8Array {
  let end = lengths.length;
  while (end > min && lengths[end - 1] === 0) end--;
  return lengths.subarray(0, end);
}

type Head = { readonly bits: number; write(writer: BitWriter): void };

/** A length of a code, or a repetition with how often. */
type Step = { readonly symbol: number; readonly extra: number; readonly extraBits: number };

/** The codes of a block, told by the lengths of their codes, which are packed, too (§3.2.7). */
function describeCodes(literals: Uint8Array, distances: Uint8Array): Head {
  const all = new Uint8Array(literals.length + distances.length);
  all.set(literals);
  all.set(distances, literals.length);
  const steps = repetitions(all);
  const counts = new Uint32Array(19);
  for (const { symbol } of steps) counts[symbol] = (counts[symbol] as number) + 1;
  const small = codeLengths(counts, SMALL_BITS_MAX);
  const codes = codesOf(small);
  let told = ORDER.length;
  while (told > 4 && small[ORDER[told - 1] as number] === 0) told--;
  let bits = 14 + told * 3;
  for (const { symbol, extraBits } of steps) bits += (small[symbol] as number) + extraBits;
  return {
    bits,
    write(writer) {
      writer.put(literals.length - 257, 5);
      writer.put(distances.length - 1, 5);
      writer.put(told - 4, 4);
      for (let i = 0; i < told; i++) writer.put(small[ORDER[i] as number] as number, 3);
      for (const { symbol, extra, extraBits } of steps) {
        writer.put(codes[symbol] as number, small[symbol] as number);
        writer.put(extra, extraBits);
      }
    },
  };
}

function repetitions(lengths: Uint8Array): Step[] {
  const steps: Step[] = [];
  for (let at = 0; at < lengths.length; ) {
    const length = lengths[at] as number;
    let run = 1;
    while (at + run < lengths.length && lengths[at + run] === length) run++;
    at += run;
    if (length !== 0) {
      steps.push({ symbol: length, extra: 0, extraBits: 0 });
      run--;
    }
    while (run > 0) {
      const [count, step] = repetition(length, run);
      steps.push(step);
      run -= count;
    }
  }
  return steps;
}

/** How many of the run it covers. */
function repetition(length: number, run: number): readonly [number, Step] {
  if (run < 3) return [1, { symbol: length, extra: 0, extraBits: 0 }];
  if (length !== 0) {
    const count = Math.min(run, 6);
    return [count, { symbol: 16, extra: count - 3, extraBits: 2 }];
  }
  if (run <= 10) return [run, { symbol: 17, extra: run - 3, extraBits: 3 }];
  const count = Math.min(run, 138);
  return [count, { symbol: 18, extra: count - 11, extraBits: 7 }];
}
