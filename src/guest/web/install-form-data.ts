/** Bundled into the modules that name it (build/guest-globals.ts). */
import { FormData } from './form-data.ts';
import { installGlobals } from './install.ts';

installGlobals({ FormData });
