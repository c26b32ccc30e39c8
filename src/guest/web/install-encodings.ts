/** Bundled into the modules that name TextDecoder (build/guest-globals.ts). */
import type { ENCODINGS, MoreEncodings } from '../world/text-encoding.ts';
import { singleByte } from './single-byte.ts';

type Open = { [ENCODINGS]?: MoreEncodings };
const name = Symbol.for('isolet.encodings') as typeof ENCODINGS;
(TextDecoder as unknown as Open)[name] = singleByte;
