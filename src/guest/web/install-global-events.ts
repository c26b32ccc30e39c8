/** Bundled into the modules that name one of these (build/guest-globals.ts). */
import { becomeEventTarget } from './global-events.ts';

becomeEventTarget();
