/** Options of `node:zlib`, and the numbers it gives names to. */
import type { HostFormat } from '../zlib/host-zlib.ts';
import { checkWhole, outOfRange } from './crypto-bytes.ts';
import { invalidType, withCode } from './node-errors.ts';

export type ZlibOptions = {
  readonly level?: number;
  /** Largest result of a function, bytes; 16 MB unless told. */
  readonly maxOutputLength?: number;
  /** Of brotli, its quality above all. */
  readonly params?: Readonly<Record<number, number>>;
  readonly dictionary?: unknown;
  /** What else Node knows (windowBits, memLevel, strategy, chunkSize, flush) changes nothing here. */
  readonly [other: string]: unknown;
};

/** Unlike Node's, small: a module's heap has 32 MB, and a few bytes can unpack to gigabytes. */
const OUTPUT_MAX = 16 * 1024 * 1024;
const QUALITY = 1;

export const constants = {
  Z_NO_FLUSH: 0,
  Z_PARTIAL_FLUSH: 1,
  Z_SYNC_FLUSH: 2,
  Z_FULL_FLUSH: 3,
  Z_FINISH: 4,
  Z_BLOCK: 5,
  Z_OK: 0,
  Z_STREAM_END: 1,
  Z_NEED_DICT: 2,
  Z_ERRNO: -1,
  Z_STREAM_ERROR: -2,
  Z_DATA_ERROR: -3,
  Z_MEM_ERROR: -4,
  Z_BUF_ERROR: -5,
  Z_VERSION_ERROR: -6,
  Z_NO_COMPRESSION: 0,
  Z_BEST_SPEED: 1,
  Z_BEST_COMPRESSION: 9,
  Z_DEFAULT_COMPRESSION: -1,
  Z_FILTERED: 1,
  Z_HUFFMAN_ONLY: 2,
  Z_RLE: 3,
  Z_FIXED: 4,
  Z_DEFAULT_STRATEGY: 0,
  Z_DEFAULT_WINDOWBITS: 15,
  Z_DEFAULT_MEMLEVEL: 8,
  Z_DEFAULT_LEVEL: -1,
  BROTLI_OPERATION_PROCESS: 0,
  BROTLI_OPERATION_FLUSH: 1,
  BROTLI_OPERATION_FINISH: 2,
  BROTLI_PARAM_MODE: 0,
  BROTLI_PARAM_QUALITY: QUALITY,
  BROTLI_PARAM_LGWIN: 2,
  BROTLI_PARAM_SIZE_HINT: 5,
  BROTLI_MODE_GENERIC: 0,
  BROTLI_MODE_TEXT: 1,
  BROTLI_MIN_QUALITY: 0,
  BROTLI_MAX_QUALITY: 11,
  BROTLI_DEFAULT_QUALITY: 11,
};

export type Checked = { readonly level: number | undefined; readonly outputMax: number };

export function checkOptions(options: ZlibOptions | null | undefined, format: HostFormat): Checked {
  if (options === undefined || options === null) return { level: undefined, outputMax: OUTPUT_MAX };
  if (typeof options !== 'object') throw invalidType('options', 'of type object', options);
  const { level: given, maxOutputLength = OUTPUT_MAX, dictionary, params } = options;
  if (dictionary !== undefined) {
    throw withCode(
      new Error('zlib: dictionaries are not there in a module'),
      'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
    );
  }
  const outputMax = checkWhole('options.maxOutputLength', maxOutputLength, 1, 2 ** 53 - 1);
  const level = format === 'brotli' ? params?.[QUALITY] : given;
  const [min, max] = format === 'brotli' ? [0, 11] : [-1, 9];
  if (level === undefined) return { level, outputMax };
  if (typeof level !== 'number') throw invalidType('options.level', 'of type number', level);
  if (!(level >= min && level <= max)) {
    throw outOfRange('options.level', `>= ${min} and <= ${max}`, level);
  }
  return { level: Math.trunc(level), outputMax };
}
