/** What `node:crypto` has and a module has not: each says what does the same. */
import { withCode } from './node-errors.ts';

function absent(name: string, instead: string): (...args: unknown[]) => never {
  const refuse = (): never => {
    throw withCode(
      new Error(`crypto.${name} is not there in a module: ${instead}`),
      'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
    );
  };
  Object.defineProperty(refuse, 'name', { value: name });
  return refuse;
}

const encrypting = 'use encrypt and decrypt of WebCrypto, which the host does';
const signing = 'use sign and verify of WebCrypto, which the host does';
const making = 'use generateKey or importKey of WebCrypto';
const agreeing = 'use deriveBits of WebCrypto';

export const createCipheriv = /* @__PURE__ */ absent('createCipheriv', encrypting);
export const createDecipheriv = /* @__PURE__ */ absent('createDecipheriv', encrypting);
export const publicEncrypt = /* @__PURE__ */ absent('publicEncrypt', encrypting);
export const privateDecrypt = /* @__PURE__ */ absent('privateDecrypt', encrypting);
export const createSign = /* @__PURE__ */ absent('createSign', signing);
export const createVerify = /* @__PURE__ */ absent('createVerify', signing);
export const sign = /* @__PURE__ */ absent('sign', signing);
export const verify = /* @__PURE__ */ absent('verify', signing);
export const generateKeyPair = /* @__PURE__ */ absent('generateKeyPair', making);
export const generateKeyPairSync = /* @__PURE__ */ absent('generateKeyPairSync', making);
export const createPrivateKey = /* @__PURE__ */ absent('createPrivateKey', making);
export const createPublicKey = /* @__PURE__ */ absent('createPublicKey', making);
export const createSecretKey = /* @__PURE__ */ absent('createSecretKey', making);
export const createECDH = /* @__PURE__ */ absent('createECDH', agreeing);
export const createDiffieHellman = /* @__PURE__ */ absent('createDiffieHellman', agreeing);
export const diffieHellman = /* @__PURE__ */ absent('diffieHellman', agreeing);
export const scryptSync = /* @__PURE__ */ absent(
  'scryptSync',
  'use crypto.scrypt, which the host does',
);
