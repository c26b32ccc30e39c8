/** `Crypto` of the Web Cryptography standard (§10), but for `subtle`, which comes with the bundles that name it. */
import { DOMException } from '../web/dom-exception.ts';
import { QuotaExceededError } from '../web/quota-exceeded-error.ts';
import { describeInterface, needArguments } from '../world/webidl.ts';
import { fillRandom, randomUuid } from './random.ts';

/** Of one call, as the standard has it. */
const RANDOM_BYTES_MAX = 65_536;

const kindOf = Object.getOwnPropertyDescriptor(
  Object.getPrototypeOf(Uint8Array.prototype),
  Symbol.toStringTag,
)?.get as (this: unknown) => string | undefined;

/** The standard gives it no constructor. */
const inside = Symbol('inside');

export class Crypto {
  constructor(...[key]: unknown[]) {
    if (key !== inside) throw new TypeError('Illegal constructor: use the global crypto');
  }

  getRandomValues<View extends ArrayBufferView>(array: View): View {
    checkCrypto(this);
    needArguments(arguments.length, 1, 'crypto.getRandomValues');
    if (!ArrayBuffer.isView(array)) {
      throw new TypeError('crypto.getRandomValues: the array must be a typed array of integers');
    }
    if (!/^(?:Big)?(?:Int|Uint)/.test(kindOf.call(array) ?? '')) {
      throw new DOMException(
        'crypto.getRandomValues: the array must be a typed array of integers',
        'TypeMismatchError',
      );
    }
    const { buffer, byteOffset, byteLength } = array;
    if (byteLength > RANDOM_BYTES_MAX) {
      throw new QuotaExceededError(
        `crypto.getRandomValues: ${byteLength} bytes at once, and ${RANDOM_BYTES_MAX} are the most`,
      );
    }
    fillRandom(new Uint8Array(buffer, byteOffset, byteLength));
    return array;
  }

  randomUUID(): string {
    checkCrypto(this);
    return randomUuid();
  }
}

describeInterface(Crypto);

/** There is no other. */
export function checkCrypto(value: unknown): void {
  if (value !== crypto) throw new TypeError('Illegal invocation: this is no Crypto');
}

export const crypto = new Crypto(inside);
