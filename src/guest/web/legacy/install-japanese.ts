/** Bundled into the modules that name one of these encodings by a label (build/guest-globals.ts). */
import { knowEncodings } from '../know-encodings.ts';
import { japanese } from './japanese.ts';
import { byLabel } from './multibyte.ts';

knowEncodings(byLabel(japanese));
