/** Bundled into the modules that name TextDecoder (build/guest-globals.ts). */
import { knowEncodings } from './know-encodings.ts';
import { singleByte } from './single-byte.ts';

knowEncodings(singleByte);
