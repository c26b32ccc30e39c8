/** Bundled into the modules that name one of these (build/guest-globals.ts). */
import { fetch } from './fetch.ts';
import { Headers } from './headers.ts';
import { installGlobals } from './install.ts';
import { Request } from './request.ts';
import { Response } from './response.ts';

installGlobals({ fetch, Headers, Request, Response });
