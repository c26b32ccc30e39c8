/** Bundled into the modules that name one of these (build/guest-globals.ts). */
import { AbortController, AbortSignal } from './abort.ts';
import { DOMException } from './dom-exception.ts';
import { installGlobals } from './install.ts';

installGlobals({ AbortController, AbortSignal, DOMException });
