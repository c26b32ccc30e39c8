/**
 * Cryptography for one module, by Node's own WebCrypto. It works on the host's thread pool, a few
 * operations of each module at a time. Keys stay here; the module has tickets for them (crypto-keys.ts).
 *
 *   digest {algorithm, data} → bytes            encrypt, decrypt, sign {algorithm, key, data} → bytes
 *   verify {algorithm, key, signature, data} → boolean
 *   generateKey {algorithm, extractable, usages} → key | {publicKey, privateKey}
 *   importKey {format, data, algorithm, extractable, usages} → key         exportKey {format, key} → bytes | jwk
 *   deriveBits {algorithm, key, length} → bytes   deriveKey {algorithm, key, derived, extractable, usages} → key
 *   wrapKey {format, key, wrappingKey, algorithm} → bytes
 *   unwrapKey {format, data, key, algorithm, unwrapped, extractable, usages} → key
 *   pbkdf2, scrypt, hkdf: the functions of Node's `crypto` → bytes
 *
 * Bytes come as `{b: base64}` and go as base64. Errors have the names of DOMException as their codes.
 */
import { hkdf, pbkdf2, scrypt, webcrypto } from 'node:crypto';
import { promisify } from 'node:util';
import type { Json } from '../core/json.ts';
import {
  type CryptoArguments,
  checkRounds,
  readCryptoArguments,
  tooLong,
} from './crypto-arguments.ts';
import {
  deriveKey,
  generateKey,
  importKey,
  type MadeKey,
  unwrapKey,
  type Wanted,
} from './crypto-key-making.ts';
import { createCryptoKeys } from './crypto-keys.ts';
import { type CryptoLimits, defaultCryptoLimits } from './crypto-limits.ts';
import { type MakeService, ServiceError } from './device-services.ts';

const { subtle } = webcrypto;
const derive = { hkdf: promisify(hkdf), pbkdf2: promisify(pbkdf2) };

/** Lets so many run at once, in the order they came. */
type Gate = { enter(): Promise<void>; leave(): void };

export const createCryptoService: MakeService = () => createCryptoServiceWith(defaultCryptoLimits);

export function createCryptoServiceWith(limits: CryptoLimits): ReturnType<MakeService> {
  const keys = createCryptoKeys(limits.keysAtHand);
  const gate = createGate(limits.atOnceMax);
  let closed = false;

  const asBytes = (bytes: ArrayBuffer | Buffer): string => {
    if (bytes.byteLength > limits.bytesMax + 1_024) throw tooLong(limits.bytesMax);
    return (Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes)).toString('base64');
  };
  const tell = ({ material, terms }: MadeKey): Json => keys.tell(material, terms);
  const wanted = (args: CryptoArguments, name = 'algorithm'): Wanted => ({
    algorithm: args.algorithm(name),
    extractable: args.extractable(),
    usages: args.usages(),
  });
  const keyData = (args: CryptoArguments): Buffer<ArrayBuffer> =>
    args.bytes('data', limits.keyBytesMax);

  const operations: Readonly<Record<string, (args: CryptoArguments) => Promise<Json>>> = {
    digest: async (a) => asBytes(await subtle.digest(a.algorithm('algorithm'), a.bytes('data'))),
    encrypt: async (a) =>
      asBytes(
        await subtle.encrypt(a.algorithm('algorithm') as never, a.key('key'), a.bytes('data')),
      ),
    decrypt: async (a) =>
      asBytes(
        await subtle.decrypt(a.algorithm('algorithm') as never, a.key('key'), a.bytes('data')),
      ),
    sign: async (a) =>
      asBytes(await subtle.sign(a.algorithm('algorithm') as never, a.key('key'), a.bytes('data'))),
    verify: async (a) =>
      subtle.verify(
        a.algorithm('algorithm') as never,
        a.key('key'),
        a.bytes('signature'),
        a.bytes('data'),
      ),
    async generateKey(a) {
      const made = await generateKey(wanted(a));
      if ('material' in made) return tell(made);
      return { publicKey: tell(made.publicKey), privateKey: tell(made.privateKey) };
    },
    async importKey(a) {
      const format = a.format();
      return tell(await importKey(format, format === 'jwk' ? a.jwk() : keyData(a), wanted(a)));
    },
    async exportKey(a) {
      const exported = await subtle.exportKey(a.format() as 'raw', a.key('key'));
      return exported instanceof ArrayBuffer ? asBytes(exported) : (exported as never);
    },
    async deriveBits(a) {
      const algorithm = a.algorithm('algorithm');
      const length = a.length(algorithm) as number;
      return asBytes(await subtle.deriveBits(algorithm as never, a.key('key'), length));
    },
    deriveKey: async (a) =>
      tell(await deriveKey(a.algorithm('algorithm'), a.key('key'), wanted(a, 'derived'))),
    wrapKey: async (a) =>
      asBytes(
        await subtle.wrapKey(
          a.format(),
          a.key('key'),
          a.key('wrappingKey'),
          a.algorithm('algorithm') as never,
        ),
      ),
    async unwrapKey(a) {
      const algorithm = a.algorithm('algorithm');
      const terms = wanted(a, 'unwrapped');
      return tell(await unwrapKey(a.format(), keyData(a), a.key('key'), algorithm, terms));
    },
    async pbkdf2(a) {
      const rounds = a.count('iterations', limits.roundsMax);
      const length = a.count('length', limits.bytesMax);
      checkRounds(rounds, length, limits);
      const [password, salt] = [a.bytes('password'), a.bytes('salt')];
      return asBytes(await derive.pbkdf2(password, salt, rounds, length, a.text('hash')));
    },
    scrypt: async (a) =>
      asBytes(
        await promisedScrypt(
          a.bytes('password'),
          a.bytes('salt'),
          a.count('length', limits.bytesMax),
          {
            N: a.count('cost', 2 ** 24),
            r: a.count('blockSize', 2 ** 20),
            p: a.count('parallelization', 64),
            maxmem: Math.min(a.count('memory', Number.MAX_SAFE_INTEGER), limits.scryptBytesMax),
          },
        ),
      ),
    hkdf: async (a) =>
      asBytes(
        await derive.hkdf(
          a.text('hash'),
          a.bytes('key', limits.keyBytesMax),
          a.bytes('salt'),
          a.bytes('info'),
          a.count('length', limits.bytesMax),
        ),
      ),
  };

  return {
    async ask(what, given) {
      const run = Object.hasOwn(operations, what) ? operations[what] : undefined;
      if (run === undefined)
        throw new ServiceError('ENOSYS', `crypto has no "${what.slice(0, 64)}"`);
      await gate.enter();
      try {
        if (closed) throw new ServiceError('ECANCELED', 'the module has ended');
        return await run(readCryptoArguments(given, keys, limits));
      } catch (cause) {
        throw explain(cause);
      } finally {
        gate.leave();
      }
    },
    close() {
      closed = true;
      keys.close();
    },
  };
}

function promisedScrypt(
  password: Buffer,
  salt: Buffer,
  length: number,
  options: { readonly N: number; readonly r: number; readonly p: number; readonly maxmem: number },
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password, salt, length, options, (error, bytes) =>
      error ? reject(error) : resolve(bytes),
    );
  });
}

function createGate(width: number): Gate {
  let inside = 0;
  const waiting: (() => void)[] = [];
  return {
    async enter() {
      if (inside < width) inside++;
      else await new Promise<void>((resolve) => waiting.push(resolve));
    },
    leave() {
      const next = waiting.shift();
      if (next === undefined) inside--;
      else next();
    },
  };
}

/** Node's words for what the standard has a name for; nothing of its inside. */
function explain(cause: unknown): ServiceError {
  if (cause instanceof ServiceError) return cause;
  if (cause instanceof DOMException) return new ServiceError(cause.name, cause.message);
  const { code, message } = cause as { readonly code?: unknown; readonly message?: unknown };
  const ofNode = typeof code === 'string' && code.startsWith('ERR_');
  const name = cause instanceof TypeError ? 'TypeError' : 'OperationError';
  return new ServiceError(name, ofNode ? String(message) : 'the operation failed');
}
