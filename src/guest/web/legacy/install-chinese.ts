/** Bundled into the modules that name one of these encodings by a label (build/guest-globals.ts). */
import { knowEncodings } from '../know-encodings.ts';
import { chinese } from './chinese.ts';
import { byLabel } from './multibyte.ts';

knowEncodings(byLabel(chinese));
