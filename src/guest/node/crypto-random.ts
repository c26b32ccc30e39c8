/** Random bytes and numbers of `node:crypto`, from the module's own generator (crypto/random.ts). */
import { fillRandom, randomUuid } from '../crypto/random.ts';
import { checkWhole, outOfRange, viewed } from './crypto-bytes.ts';
import { checkFunction, invalidType } from './node-errors.ts';

type Done<Value> = (error: Error | null, value: Value) => void;
type Fillable = ArrayBuffer | ArrayBufferView;

const SIZE_MAX = 2 ** 31 - 1;
/** `randomInt` draws six bytes. */
const SPAN_MAX = 2 ** 48;

export function randomBytes(size: number): Buffer;
export function randomBytes(size: number, callback: Done<Buffer>): void;
export function randomBytes(size: number, callback?: Done<Buffer>): Buffer | undefined {
  checkWhole('size', size, 0, SIZE_MAX);
  if (callback !== undefined) checkFunction('callback', callback);
  const bytes = Buffer.alloc(size);
  fillRandom(bytes);
  return given(bytes, callback);
}

export const pseudoRandomBytes = ((size: number, callback: Done<Buffer>) =>
  randomBytes(size, callback)) as typeof randomBytes;

export function randomFillSync<Target extends Fillable>(
  buf: Target,
  offset = 0,
  size?: number,
): Target {
  if (!(buf instanceof ArrayBuffer) && !ArrayBuffer.isView(buf)) {
    throw invalidType('buf', 'an instance of ArrayBuffer or ArrayBufferView', buf);
  }
  // Offsets count elements.
  const unit = (buf as { readonly BYTES_PER_ELEMENT?: number }).BYTES_PER_ELEMENT ?? 1;
  const bytes = buf instanceof ArrayBuffer ? new Uint8Array(buf) : viewed(buf);
  const length = bytes.length / unit;
  checkWhole('offset', offset, 0, length);
  const count = size === undefined ? length - offset : checkWhole('size', size, 0, SIZE_MAX);
  if (offset + count > length) throw outOfRange('size + offset', `<= ${length}`, offset + count);
  fillRandom(bytes.subarray(offset * unit, (offset + count) * unit));
  return buf;
}

type FillArguments<Target> =
  | [callback: Done<Target>]
  | [offset: number, callback: Done<Target>]
  | [offset: number, size: number, callback: Done<Target>];

export function randomFill<Target extends Fillable>(
  buf: Target,
  ...rest: FillArguments<Target>
): void {
  const callback = rest.at(-1) as Done<Target>;
  checkFunction('callback', callback);
  const [offset, size] = rest.slice(0, -1) as number[];
  given(randomFillSync(buf, offset, size), callback);
}

export function randomInt(max: number): number;
export function randomInt(min: number, max: number): number;
export function randomInt(max: number, callback: Done<number>): void;
export function randomInt(min: number, max: number, callback: Done<number>): void;
export function randomInt(
  first: number,
  second?: number | Done<number>,
  callback?: Done<number>,
): number | undefined {
  const isOne = second === undefined || typeof second === 'function';
  const [min, max] = isOne ? [0, first] : [first, second];
  const done = typeof second === 'function' ? second : callback;
  if (done !== undefined) checkFunction('callback', done);
  if (!Number.isSafeInteger(min)) throw invalidType('min', 'a safe integer', min);
  if (!Number.isSafeInteger(max)) throw invalidType('max', 'a safe integer', max);
  if (max <= min) {
    throw outOfRange('max', `greater than the value of "min" (${min})`, max);
  }
  const span = max - min;
  if (span >= SPAN_MAX) throw outOfRange('max - min', `<= ${SPAN_MAX - 1}`, span);
  // Above this the last part of the range would come more seldom.
  const fair = SPAN_MAX - (SPAN_MAX % span);
  const bytes = Buffer.alloc(6);
  for (;;) {
    fillRandom(bytes);
    const drawn = bytes.readUIntBE(0, 6);
    if (drawn < fair) return given(min + (drawn % span), done);
  }
}

export function randomUUID(options?: { readonly disableEntropyCache?: boolean }): string {
  if (options !== undefined && (typeof options !== 'object' || options === null)) {
    throw invalidType('options', 'of type object', options);
  }
  return randomUuid();
}

/** By callback later, or at once without one. */
function given<Value>(value: Value, callback: Done<Value> | undefined): Value | undefined {
  if (callback === undefined) return value;
  process.nextTick(callback as (...args: unknown[]) => void, null, value);
  return undefined;
}
