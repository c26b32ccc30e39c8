/** Bundled into the modules that name one of these (build/guest-globals.ts). */
import { installGlobals } from './install.ts';
import { streams } from './streams.ts';
import { TextDecoderStream, TextEncoderStream } from './text-streams.ts';

installGlobals({ ...streams(), TextDecoderStream, TextEncoderStream });
