/** Bundled into the modules that name it (build/guest-globals.ts). */
import { installGlobals } from './install.ts';
import { WebSocket } from './web-socket.ts';

installGlobals({ WebSocket });
