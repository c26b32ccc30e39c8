/** Bundled into the modules that name one of these (build/guest-globals.ts). */
import { installGlobals } from './install.ts';
import { MessageChannel, MessagePort } from './message-port.ts';

installGlobals({ MessageChannel, MessagePort });
