/** Bundled into the modules that name one of these (build/guest-globals.ts). */
import { AbortController, AbortSignal } from './abort.ts';
import { Event } from './event.ts';
import { EventTarget } from './event-target.ts';
import { installGlobals } from './install.ts';

installGlobals({ AbortController, AbortSignal, Event, EventTarget });
