/** Bundled into the modules that name one of these (build/guest-globals.ts). */
import {
  CloseEvent,
  CustomEvent,
  ErrorEvent,
  MessageEvent,
  PromiseRejectionEvent,
} from './event-kinds.ts';
import { installGlobals } from './install.ts';

installGlobals({ CloseEvent, CustomEvent, ErrorEvent, MessageEvent, PromiseRejectionEvent });
