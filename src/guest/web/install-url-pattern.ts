/** Bundled into the modules that name it (build/guest-globals.ts); it reads with URL. */
import './install-url.ts';
import { URLPattern } from 'urlpattern-polyfill/urlpattern';
import { installGlobals } from './install.ts';

installGlobals({ URLPattern });
