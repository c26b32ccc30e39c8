/** `CryptoKey` (§13): what a key is, and the ticket by which the host knows the key itself. */
import type { Json } from '../../core/json.ts';
import { describeInterface } from '../world/webidl.ts';

type KeyType = 'secret' | 'private' | 'public';

/** A key as the host tells it (src/host/crypto-keys.ts). */
export type KeyFacts = {
  /** Sealed by the host: it says nothing to anybody else. */
  readonly ticket: string;
  readonly type: KeyType;
  readonly extractable: boolean;
  readonly algorithm: Readonly<Record<string, Json>>;
  readonly usages: readonly string[];
};

type Algorithm = { name: string; [member: string]: unknown };

/** The standard gives it no constructor. */
const inside = Symbol('inside');
let ticketIn: (key: CryptoKey) => string;

export class CryptoKey {
  readonly #ticket: string;
  readonly #type: KeyType;
  readonly #extractable: boolean;
  readonly #algorithm: Algorithm;
  readonly #usages: string[];

  static {
    ticketIn = (key) => key.#ticket;
  }

  constructor(...[key, facts]: [unknown?, KeyFacts?]) {
    if (key !== inside || facts === undefined) {
      throw new TypeError('Illegal constructor: crypto.subtle makes and imports keys');
    }
    this.#ticket = facts.ticket;
    this.#type = facts.type;
    this.#extractable = facts.extractable;
    this.#algorithm = algorithmOf(facts);
    this.#usages = [...facts.usages];
  }

  get type(): KeyType {
    return this.#type;
  }
  get extractable(): boolean {
    return this.#extractable;
  }
  get algorithm(): Algorithm {
    return this.#algorithm;
  }
  get usages(): string[] {
    return this.#usages;
  }

  static {
    describeInterface(this);
  }
}

export function keyOf(facts: KeyFacts): CryptoKey {
  return new CryptoKey(inside, facts);
}

export function ticketOf(key: CryptoKey): string {
  return ticketIn(key);
}

/** The one member of bytes crosses the border as text. */
function algorithmOf({ algorithm }: KeyFacts): Algorithm {
  const { publicExponent } = algorithm;
  return typeof publicExponent === 'string'
    ? ({ ...algorithm, publicExponent: Uint8Array.fromBase64(publicExponent) } as never)
    : (algorithm as Algorithm);
}
