/** Unpacks DEFLATE (RFC 1951), all at once. */
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
import { badData, endsEarly, tooLarge } from './zlib-error.ts';

type Inflated = {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Where the packed data ended. */
  readonly end: number;
};

/** For the next `bits` bits of the stream: a symbol, times 16, and how many of the bits are its. */
type Decoder = { readonly table: Uint16Array; readonly bits: number };

let fixed: { readonly literals: Decoder; readonly distances: Decoder } | undefined;

/** `from`: where it begins. Throws errors of zlib, or when there would be more than `max` bytes. */
export function inflate(packed: Uint8Array, from: number, max: number): Inflated {
  let out = new Uint8Array(Math.min(max, Math.max(1024, (packed.length - from) * 4)));
  let length = 0;
  let at = from;
  /** Bits read from the stream and not used, the next one lowest. */
  let held = 0;
  let heldBits = 0;

  /** Bits beyond the end are zeros, until somebody uses one. */
  function fill(bits: number): void {
    while (heldBits < bits) {
      held |= (at < packed.length ? (packed[at] as number) : 0) << heldBits;
      at++;
      heldBits += 8;
    }
  }

  function drop(bits: number): void {
    held >>>= bits;
    heldBits -= bits;
    if (at - (heldBits >> 3) > packed.length) throw endsEarly();
  }

  function take(bits: number): number {
    if (bits === 0) return 0;
    fill(bits);
    const value = held & ((1 << bits) - 1);
    drop(bits);
    return value;
  }

  function symbol({ table, bits }: Decoder, problem: string): number {
    fill(bits);
    const entry = table[held & ((1 << bits) - 1)] as number;
    if (entry === 0) {
      const beyond = 8 * Math.max(0, at - packed.length);
      if (heldBits - beyond < Math.max(1, bits)) throw endsEarly();
      throw badData(problem);
    }
    drop(entry & 15);
    return entry >> 4;
  }

  function room(more: number): void {
    if (length + more <= out.length) return;
    if (length + more > max) throw tooLarge(max);
    const larger = new Uint8Array(Math.min(max, Math.max(length + more, out.length * 2)));
    larger.set(out.subarray(0, length));
    out = larger;
  }

  function stored(): void {
    drop(heldBits & 7);
    // What was read ahead is given back.
    at -= heldBits >> 3;
    held = heldBits = 0;
    if (at + 4 > packed.length) throw endsEarly();
    const size = (packed[at] as number) | ((packed[at + 1] as number) << 8);
    const check = (packed[at + 2] as number) | ((packed[at + 3] as number) << 8);
    if (size !== (check ^ 0xffff)) throw badData('invalid stored block lengths');
    at += 4;
    if (at + size > packed.length) throw endsEarly();
    room(size);
    out.set(packed.subarray(at, at + size), length);
    length += size;
    at += size;
  }

  function coded(literals: Decoder, distances: Decoder): void {
    for (;;) {
      const read = symbol(literals, 'invalid literal/length code');
      if (read < END_OF_BLOCK) {
        if (length === out.length) room(1);
        out[length++] = read;
        continue;
      }
      if (read === END_OF_BLOCK) return;
      const kind = read - LENGTHS_FROM;
      const bits = LENGTHS.bits[kind];
      if (bits === undefined) throw badData('invalid literal/length code');
      const size = (LENGTHS.base[kind] as number) + take(bits);
      const far = symbol(distances, 'invalid distance code');
      const farBits = DISTANCES.bits[far];
      if (farBits === undefined) throw badData('invalid distance code');
      const distance = (DISTANCES.base[far] as number) + take(farBits);
      if (distance > length) throw badData('invalid distance too far back');
      room(size);
      // It may reach into what it writes.
      for (let i = 0; i < size; i++, length++) out[length] = out[length - distance] as number;
    }
  }

  function dynamic(): void {
    const literalCount = take(5) + 257;
    const distanceCount = take(5) + 1;
    const orderCount = take(4) + 4;
    if (literalCount > 286 || distanceCount > 30) {
      throw badData('too many length or distance symbols');
    }
    const small = new Uint8Array(19);
    for (let i = 0; i < orderCount; i++) small[ORDER[i] as number] = take(3);
    const decoder = decoderOf(small, 'invalid code lengths set', false);
    const lengths = new Uint8Array(literalCount + distanceCount);
    for (let i = 0; i < lengths.length; ) {
      const read = symbol(decoder, 'invalid code lengths set');
      if (read < 16) {
        lengths[i++] = read;
        continue;
      }
      if (read === 16 && i === 0) throw badData('invalid bit length repeat');
      const repeated = read === 16 ? (lengths[i - 1] as number) : 0;
      const count = read === 16 ? take(2) + 3 : read === 17 ? take(3) + 3 : take(7) + 11;
      if (i + count > lengths.length) throw badData('invalid bit length repeat');
      lengths.fill(repeated, i, i + count);
      i += count;
    }
    if (lengths[END_OF_BLOCK] === 0) throw badData('invalid code -- missing end-of-block');
    const literals = decoderOf(lengths.subarray(0, literalCount), 'invalid literal/lengths set');
    coded(literals, decoderOf(lengths.subarray(literalCount), 'invalid distances set'));
  }

  for (let last = 0; last === 0; ) {
    last = take(1);
    const type = take(2);
    if (type === 0) stored();
    else if (type === 2) dynamic();
    else if (type === 1) {
      fixed ??= {
        literals: decoderOf(FIXED_LITERALS, ''),
        distances: decoderOf(FIXED_DISTANCES, ''),
      };
      coded(fixed.literals, fixed.distances);
    } else throw badData('invalid block type');
  }
  return { bytes: out.subarray(0, length), end: at - (heldBits >> 3) };
}

/** One code alone may leave the other half of its bits unused, where `loose`. */
function decoderOf(lengths: Uint8Array, problem: string, loose = true): Decoder {
  let bits = 0;
  let used = 0;
  let codes = 0;
  for (const length of lengths) {
    if (length === 0) continue;
    bits = Math.max(bits, length);
    used += 1 << (CODE_BITS_MAX - length);
    codes++;
  }
  const whole = 1 << CODE_BITS_MAX;
  if (used !== whole && !(loose && (codes === 0 || (codes === 1 && bits === 1))))
    throw badData(problem);
  const table = new Uint16Array(1 << bits);
  const turned = codesOf(lengths);
  for (let symbol = 0; symbol < lengths.length; symbol++) {
    const length = lengths[symbol] as number;
    if (length === 0) continue;
    for (let i = turned[symbol] as number; i < table.length; i += 1 << length) {
      table[i] = (symbol << 4) | length;
    }
  }
  return { table, bits };
}
