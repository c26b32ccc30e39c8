/** All that there is of `node:crypto`, part by part, so that a bundle takes what it names. */
import { crypto } from '../crypto/crypto.ts';
import { viewed } from './crypto-bytes.ts';
import { invalidType, withCode } from './node-errors.ts';

export * from './crypto-absent.ts';
export { hkdf, hkdfSync, pbkdf2, pbkdf2Sync, scrypt } from './crypto-derive.ts';
export { createHash, createHmac, getHashes, Hash, Hmac, hash } from './crypto-hash.ts';
export {
  pseudoRandomBytes,
  randomBytes,
  randomFill,
  randomFillSync,
  randomInt,
  randomUUID,
} from './crypto-random.ts';

export const webcrypto = crypto;
/** Undefined where nobody uses it: then its half of WebCrypto is not bundled, which looks for this name. */
const subtleOfNode: unknown = Reflect.get(crypto, 'subtle');

export { subtleOfNode as subtle };

export const getRandomValues = <View extends ArrayBufferView>(array: View): View =>
  crypto.getRandomValues(array);

/** Takes as long wherever two values of one length differ, as far as code in V8 can. */
export function timingSafeEqual(
  buf1: ArrayBuffer | ArrayBufferView,
  buf2: ArrayBuffer | ArrayBufferView,
): boolean {
  const [one, other] = [comparable('buf1', buf1), comparable('buf2', buf2)];
  if (one.length !== other.length) {
    throw withCode(
      new RangeError('Input buffers must have the same byte length'),
      'ERR_CRYPTO_TIMING_SAFE_EQUAL_LENGTH',
    );
  }
  let differences = 0;
  for (let i = 0; i < one.length; i++) {
    differences |= (one[i] as number) ^ (other[i] as number);
  }
  return differences === 0;
}

function comparable(name: string, value: unknown): Uint8Array {
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (ArrayBuffer.isView(value)) return viewed(value);
  throw invalidType(name, 'an instance of ArrayBuffer, Buffer, TypedArray, or DataView', value);
}

export const getCiphers = (): string[] => [];
export const getCurves = (): string[] => [];
export const getFips = (): number => 0;
/** Those libraries look at while they load. */
export const constants = {
  RSA_PKCS1_PADDING: 1,
  RSA_NO_PADDING: 3,
  RSA_PKCS1_OAEP_PADDING: 4,
  RSA_PKCS1_PSS_PADDING: 6,
};
