/** All that there is of `node:zlib`, part by part, so that a bundle takes what it names. */
import { crc32 as crcOf } from '../zlib/checksums.ts';
import { dataBytes } from './crypto-bytes.ts';

export * from './zlib-functions.ts';
export { constants } from './zlib-options.ts';
export * from './zlib-streams.ts';

export const crc32 = (data: string | ArrayBufferView, value = 0): number =>
  crcOf(dataBytes(data, 'utf8'), value);
