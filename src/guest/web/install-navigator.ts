/** Bundled into the modules that name one of these (build/guest-globals.ts). */
import { installGlobals } from './install.ts';
import { Navigator } from './navigator.ts';

installGlobals({ Navigator, navigator: new Navigator() });
