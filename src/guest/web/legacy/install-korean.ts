/** Bundled into the modules that name one of these encodings by a label (build/guest-globals.ts). */
import { knowEncodings } from '../know-encodings.ts';
import { korean } from './korean.ts';
import { byLabel } from './multibyte.ts';

knowEncodings(byLabel(korean));
