/** Bundled into the modules that name TextDecoder (build/guest-globals.ts). */
import type { MoreEncodings } from '../world/text-encoding.ts';
import { singleByte } from './single-byte.ts';

const known: MoreEncodings = singleByte;
Object.defineProperty(TextDecoder, Symbol.for('isolet.encodings'), { value: known });
