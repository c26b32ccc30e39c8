/** Bundled into the modules that name one of these (build/guest-globals.ts). */
import { Blob, File } from './blob.ts';
import { installGlobals } from './install.ts';
import { installObjectUrls } from './object-url.ts';

installGlobals({ Blob, File });
installObjectUrls();
