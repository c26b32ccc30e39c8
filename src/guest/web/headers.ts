/** `Headers` of the fetch standard (§5.1). No header is forbidden, as in Node: a module is no browser. */
import { describeInterface, needArguments } from '../world/webidl.ts';
import { pairIterators } from './pair-iterator.ts';

export type HeadersInit =
  | Headers
  | Iterable<readonly [string, string]>
  | Readonly<Record<string, string | number>>;

type Pair = readonly [name: string, value: string];
export type Guard = 'none' | 'request' | 'request-no-cors' | 'response' | 'immutable';

/** RFC 9110 §5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

let build: (pairs: readonly Pair[], guard: Guard) => Headers;
let pairsIn: (headers: Headers) => readonly Pair[];

export class Headers {
  /** Names in lower case, in the order they came. */
  #list: Pair[] = [];
  #guard: Guard = 'none';
  /** Sorted and combined, until something changes. */
  #sorted: readonly Pair[] | undefined;

  constructor(...[init]: readonly [init?: HeadersInit]) {
    if (init !== undefined) this.#fill(toPairs(init));
  }

  append(name: string, value: string): void {
    needArguments(arguments.length, 2, 'append');
    this.#append(toByteString(name), toByteString(value));
  }
  delete(name: string): void {
    needArguments(arguments.length, 1, 'delete');
    const key = checkedName(toByteString(name));
    this.#checkGuard();
    if (this.#guard === 'request-no-cors' && !mayBeRemoved(key)) return;
    if (this.#has(key)) this.#change(this.#list.filter(([other]) => other !== key));
  }
  get(name: string): string | null {
    needArguments(arguments.length, 1, 'get');
    return this.#get(checkedName(toByteString(name)));
  }
  getSetCookie(): string[] {
    return this.#list.flatMap(([name, value]) => (name === 'set-cookie' ? [value] : []));
  }
  has(name: string): boolean {
    needArguments(arguments.length, 1, 'has');
    return this.#has(checkedName(toByteString(name)));
  }
  set(name: string, value: string): void {
    needArguments(arguments.length, 2, 'set');
    const [key, text] = [toByteString(name), toByteString(value)];
    const clean = normalized(text);
    const lower = checkedName(key);
    checkValue(lower, clean);
    this.#checkGuard();
    if (this.#guard === 'request-no-cors' && !isSafelisted(lower, clean)) return;
    const at = this.#list.findIndex(([other]) => other === lower);
    const rest = this.#list.filter(([other], index) => other !== lower || index === at);
    if (at < 0) rest.push([lower, clean]);
    else rest[at] = [lower, clean];
    this.#change(rest);
  }

  #append(name: string, value: string): void {
    const clean = normalized(value);
    const key = checkedName(name);
    checkValue(key, clean);
    this.#checkGuard();
    if (this.#guard === 'request-no-cors') {
      const before = this.#get(key);
      if (!isSafelisted(key, before === null ? clean : `${before}, ${clean}`)) return;
    }
    this.#list.push([key, clean]);
    this.#sorted = undefined;
  }
  #fill(pairs: readonly Pair[]): void {
    for (const [name, value] of pairs) this.#append(name, value);
  }
  #has(key: string): boolean {
    return this.#list.some(([name]) => name === key);
  }
  #get(key: string): string | null {
    const values = this.#list.flatMap(([name, value]) => (name === key ? [value] : []));
    // As in HTTP, and in Node (RFC 6265 §5.4); no browser lets anyone set cookies.
    return values.length === 0 ? null : values.join(key === 'cookie' ? '; ' : ', ');
  }
  #checkGuard(): void {
    if (this.#guard === 'immutable') throw new TypeError('These headers cannot be changed');
  }
  #change(list: Pair[]): void {
    this.#list = list;
    this.#sorted = undefined;
  }
  /** "Sort and combine" (§2.2.2): those of one name joined, but for cookies that are set. */
  #combined(): readonly Pair[] {
    if (this.#sorted !== undefined) return this.#sorted;
    const names = [...new Set(this.#list.map(([name]) => name))].sort();
    this.#sorted = names.flatMap((name): Pair[] =>
      name === 'set-cookie'
        ? this.getSetCookie().map((value) => [name, value])
        : [[name, this.#get(name) as string]],
    );
    return this.#sorted;
  }

  static {
    build = (pairs, guard) => {
      const headers = new Headers();
      headers.#list = [...pairs];
      headers.#guard = guard;
      return headers;
    };
    pairsIn = (headers) => headers.#list;
    pairIterators(this, (headers) => headers.#combined());
    describeInterface(this);
  }
  declare entries: () => IterableIterator<[string, string]>;
  declare keys: () => IterableIterator<string>;
  declare values: () => IterableIterator<string>;
  declare forEach: (run: (value: string, name: string, headers: Headers) => void) => void;
  declare [Symbol.iterator]: () => IterableIterator<[string, string]>;
}

/** As they are: nothing is checked. */
export function createHeaders(pairs: readonly Pair[], guard: Guard): Headers {
  return build(pairs, guard);
}
/** Those of a request or an answer that is made by `init`: its own, guarded. */
export function filledHeaders(init: HeadersInit | undefined, guard: Guard): Headers {
  const headers = build([], guard);
  if (init !== undefined) for (const [name, value] of toPairs(init)) headers.append(name, value);
  return headers;
}
export function headerPairs(headers: Headers): readonly Pair[] {
  return pairsIn(headers);
}

/** `(sequence<sequence<ByteString>> or record<ByteString, ByteString>)` */
function toPairs(init: unknown): readonly Pair[] {
  if ((typeof init !== 'object' && typeof init !== 'function') || init === null) {
    throw new TypeError('Headers are made of pairs, or of an object');
  }
  const iterate = (init as { [Symbol.iterator]?: unknown })[Symbol.iterator];
  if (iterate === undefined || iterate === null) return toRecord(init);
  if (typeof iterate !== 'function') throw new TypeError('The headers cannot be iterated');
  return listOf(init, iterate as Iterate).map((pair) => {
    const each =
      (typeof pair === 'object' || typeof pair === 'function') && pair !== null
        ? (pair as { [Symbol.iterator]?: unknown })[Symbol.iterator]
        : undefined;
    if (typeof each !== 'function') throw new TypeError('A header is a pair: a name and a value');
    const [name, value, ...more] = listOf(pair as object, each as Iterate).map(toByteString);
    if (name === undefined || value === undefined || more.length > 0) {
      throw new TypeError('A header is a pair: a name and a value');
    }
    return [name, value];
  });
}

type Iterate = () => Iterator<unknown>;
/** By the iterator that was looked up once. */
function listOf(items: object, iterate: Iterate): unknown[] {
  return [...{ [Symbol.iterator]: () => Reflect.apply(iterate, items, []) }];
}

function toRecord(init: object): readonly Pair[] {
  const record = new Map<string, string>();
  for (const key of Reflect.ownKeys(init)) {
    if (Reflect.getOwnPropertyDescriptor(init, key)?.enumerable !== true) continue;
    const name = toByteString(key);
    record.set(name, toByteString((init as Record<PropertyKey, unknown>)[key]));
  }
  return [...record];
}

export function toByteString(value: unknown): string {
  const text = `${value as string}`;
  if (!/[^\0-\xff]/.test(text)) return text;
  throw new TypeError(`${JSON.stringify(text)} has a character no header can have`);
}

function normalized(value: string): string {
  return value.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
}

function checkedName(name: string): string {
  if (token.test(name)) return name.toLowerCase();
  throw new TypeError(`${JSON.stringify(name)} is no name of a header`);
}

function checkValue(name: string, value: string): void {
  if (!/[\0\n\r]/.test(value)) return;
  throw new TypeError(
    `The header "${name}" has a line break or another character no header can have`,
  );
}

/** What a request of the mode "no-cors" may say (§2.2.2, "no-CORS-safelisted request-header"). */
function isSafelisted(name: string, value: string): boolean {
  if (value.length > 128) return false;
  switch (name) {
    case 'accept':
      return !unsafe.test(value);
    case 'accept-language':
    case 'content-language':
      return /^[0-9A-Za-z *,.;=-]*$/.test(value);
    case 'content-type':
      return !unsafe.test(value) && simpleType.test(value);
    default:
      return false;
  }
}
// oxlint-disable-next-line no-control-regex -- these are what it is about
const unsafe = /[\0-\x08\x0a-\x1f"():<>?@[\\\]{}\x7f]/;
const simpleType =
  /^[\t ]*(?:application\/x-www-form-urlencoded|multipart\/form-data|text\/plain)[\t ]*(?:;.*)?$/i;

function mayBeRemoved(name: string): boolean {
  return (
    ['accept', 'accept-language', 'content-language', 'content-type'].includes(name) ||
    name === 'range'
  );
}
