/** Bundled into the modules that name one of these (build/guest-globals.ts). */
import { installGlobals } from './install.ts';
import { URL } from './url.ts';
import { URLSearchParams } from './url-search-params.ts';

installGlobals({ URL, URLSearchParams });
