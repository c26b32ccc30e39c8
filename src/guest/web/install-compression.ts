/** Bundled into the modules that name one of these (build/guest-globals.ts). */
import { CompressionStream, DecompressionStream } from './compression-streams.ts';
import { installGlobals } from './install.ts';

installGlobals({ CompressionStream, DecompressionStream });
