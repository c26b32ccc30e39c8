/** Bundled into the modules that name one of these (build/guest-globals.ts). */
import { installGlobals } from '../web/install.ts';
import { Crypto, checkCrypto, crypto } from './crypto.ts';
import { CryptoKey } from './crypto-key.ts';
import { SubtleCrypto, subtle } from './subtle.ts';

const accessor = Object.getOwnPropertyDescriptor(
  {
    get subtle(): SubtleCrypto {
      checkCrypto(this);
      return subtle;
    },
  },
  'subtle',
) as PropertyDescriptor;
Object.defineProperty(Crypto.prototype, 'subtle', accessor);

installGlobals({ Crypto, crypto, CryptoKey, SubtleCrypto });
