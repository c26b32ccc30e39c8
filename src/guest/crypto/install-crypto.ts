/** Bundled into the modules that name one of these (build/guest-globals.ts). */
import { installGlobals } from '../web/install.ts';
import { QuotaExceededError } from '../web/quota-exceeded-error.ts';
import { Crypto, crypto } from './crypto.ts';

installGlobals({ Crypto, crypto, QuotaExceededError });
