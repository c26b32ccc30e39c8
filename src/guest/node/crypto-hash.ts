/**
 * `createHash` and `createHmac`. In Node they are streams; here they are writable as far as `pipe` needs
 * it, so that a hash does not bring all of `node:stream` along.
 */
import { createBlockHash, type HashKind } from '../crypto/hash/block-hash.ts';
import { createMac, hashKind, hashNames, hashOnce, type Mac } from '../crypto/hash/hashes.ts';
import { takeSeam } from '../seam.ts';
import { anyBytes, type BytesInput, dataBytes, type Encoding, encoded } from './crypto-bytes.ts';
import { checkString, withCode } from './node-errors.ts';

const { EventEmitter } = takeSeam();

/** A hash is one, too. */
type Running = Mac;
type Done = (error?: Error | null) => void;

/** What hashes and MACs have in common. */
abstract class Digest extends EventEmitter {
  readonly writable = true;
  readonly readable = true;
  /** Undefined once the digest was given. */
  protected running: Running | undefined;
  #result: string | Buffer | undefined;
  #encoding: Encoding;

  constructor(running: Running) {
    super();
    this.running = running;
  }

  update(data: string | ArrayBufferView, inputEncoding?: Encoding): this {
    const bytes = dataBytes(data, inputEncoding);
    this.going().update(bytes);
    return this;
  }

  digest(outputEncoding?: Encoding): string | Buffer {
    const bytes = this.going().digest();
    this.running = undefined;
    return encoded(bytes, outputEncoding);
  }

  protected going(): Running {
    if (this.running !== undefined) return this.running;
    throw withCode(new Error('Digest already called'), 'ERR_CRYPTO_HASH_FINALIZED');
  }

  // As a stream: written to, and then read once.

  write(chunk: string | ArrayBufferView, encoding?: Encoding | Done, done?: Done): boolean {
    const then = typeof encoding === 'function' ? encoding : done;
    this.update(chunk, typeof encoding === 'function' ? undefined : encoding);
    if (then !== undefined) queueMicrotask(then);
    return true;
  }

  end(chunk?: string | ArrayBufferView | Done, encoding?: Encoding | Done, done?: Done): this {
    const then = [chunk, encoding, done].find((each) => typeof each === 'function') as Done;
    if (chunk !== undefined && chunk !== null && typeof chunk !== 'function') {
      this.update(chunk, typeof encoding === 'function' ? undefined : encoding);
    }
    this.#result = this.digest(this.#encoding);
    if (then !== undefined) this.once('finish', then);
    queueMicrotask(() => {
      this.emit('finish');
      this.emit('readable');
      if (this.listenerCount('data') > 0) this.emit('data', this.read());
      this.emit('end');
      this.emit('close');
    });
    return this;
  }

  read(): string | Buffer | null {
    const result = this.#result;
    this.#result = undefined;
    return result ?? null;
  }

  setEncoding(encoding: Encoding): this {
    this.#encoding = encoding;
    return this;
  }
}

export class Hash extends Digest {
  constructor(algorithm: string | Running) {
    super(typeof algorithm === 'string' ? createBlockHash(kindOf(algorithm)) : algorithm);
  }

  copy(): Hash {
    return new Hash(this.going().copy());
  }
}

export class Hmac extends Digest {
  constructor(algorithm: string, key: BytesInput) {
    checkString('hmac', algorithm);
    super(createMac(kindOf(algorithm), anyBytes(key, 'key')));
  }

  /** A second one is empty: Node kept that. */
  override digest(outputEncoding?: Encoding): string | Buffer {
    if (this.running === undefined) return encoded(new Uint8Array(0), outputEncoding);
    return super.digest(outputEncoding);
  }
}

export function createHash(algorithm: string): Hash {
  checkString('algorithm', algorithm);
  return new Hash(algorithm);
}

export function createHmac(algorithm: string, key: BytesInput): Hmac {
  return new Hmac(algorithm, key);
}

export function hash(
  algorithm: string,
  data: string | ArrayBufferView,
  outputEncoding: Encoding = 'hex',
): string | Buffer {
  checkString('algorithm', algorithm);
  return encoded(hashOnce(kindOf(algorithm), dataBytes(data, 'utf8', 'input')), outputEncoding);
}

export function getHashes(): string[] {
  return [...hashNames];
}

export function kindOf(name: string): HashKind {
  const kind = hashKind(name);
  if (kind !== undefined) return kind;
  throw withCode(
    new TypeError(`Invalid digest: ${name} (a module has ${hashNames.join(', ')})`),
    'ERR_CRYPTO_INVALID_DIGEST',
  );
}
