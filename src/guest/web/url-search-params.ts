/** `URLSearchParams` (URL standard §6.2), and the form encoding behind it. */
import { describeInterface, needArguments, toSequence, toUsv } from '../world/webidl.ts';
import { pairIterators } from './pair-iterator.ts';
import { percentDecode, percentEncode } from './percent.ts';

type Pair = [string, string];

/** All but these are encoded, and a space is a `+`. */
const formSet = /[^A-Za-z0-9*._-]+/gu;

export function parseForm(text: string): Pair[] {
  const pairs: Pair[] = [];
  for (const part of text.split('&')) {
    if (part === '') continue;
    const equals = part.indexOf('=');
    const name = equals < 0 ? part : part.slice(0, equals);
    pairs.push([decode(name), equals < 0 ? '' : decode(part.slice(equals + 1))]);
  }
  return pairs;
}

const decode = (text: string): string => percentDecode(text.replaceAll('+', ' ')).toWellFormed();
const encode = (text: string): string => percentEncode(text, formSet).replaceAll('%20', '+');

function serializeForm(pairs: readonly Pair[]): string {
  return pairs.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
}

type Inside = {
  /** Params of a URL: `told` gets each new query. */
  bound(query: string, told: (query: string) => void): URLSearchParams;
  /** The URL has another query. */
  reset(params: URLSearchParams, query: string): void;
};
export let searchParams: Inside;

export class URLSearchParams {
  declare entries: () => IterableIterator<[string, string]>;
  declare keys: () => IterableIterator<string>;
  declare values: () => IterableIterator<string>;
  declare forEach: (
    run: (value: string, name: string, params: URLSearchParams) => void,
    receiver?: unknown,
  ) => void;
  declare [Symbol.iterator]: () => IterableIterator<[string, string]>;
  #pairs: Pair[];
  #told: ((query: string) => void) | undefined;

  static {
    searchParams = {
      bound(query, told) {
        const params = new URLSearchParams();
        params.#pairs = parseForm(query);
        params.#told = told;
        return params;
      },
      reset(params, query) {
        params.#pairs = parseForm(query);
      },
    };
  }

  constructor(
    init: string | Iterable<readonly [string, string]> | Readonly<Record<string, string>> = '',
  ) {
    this.#pairs = toPairs(init);
  }

  get size(): number {
    return this.#pairs.length;
  }

  append(name: string, value: string): void {
    const pairs = this.#pairs;
    needArguments(arguments.length, 2, 'append');
    pairs.push([toUsv(name), toUsv(value)]);
    this.#update();
  }
  delete(name: string, ...[value]: readonly [value?: string]): void {
    const pairs = this.#pairs;
    needArguments(arguments.length, 1, 'delete');
    const fits = fitting(name, value);
    this.#pairs = pairs.filter((pair) => !fits(pair));
    this.#update();
  }
  get(name: string): string | null {
    const pairs = this.#pairs;
    needArguments(arguments.length, 1, 'get');
    return pairs.find(fitting(name))?.[1] ?? null;
  }
  getAll(name: string): string[] {
    const pairs = this.#pairs;
    needArguments(arguments.length, 1, 'getAll');
    return pairs.filter(fitting(name)).map((pair) => pair[1]);
  }
  has(name: string, ...[value]: readonly [value?: string]): boolean {
    const pairs = this.#pairs;
    needArguments(arguments.length, 1, 'has');
    return pairs.some(fitting(name, value));
  }
  set(name: string, value: string): void {
    const pairs = this.#pairs;
    needArguments(arguments.length, 2, 'set');
    const fits = fitting(name);
    const text = toUsv(value);
    const first = pairs.find(fits);
    if (first === undefined) {
      pairs.push([toUsv(name), text]);
    } else {
      first[1] = text;
      this.#pairs = pairs.filter((pair) => pair === first || !fits(pair));
    }
    this.#update();
  }
  /** By UTF-16 units; equal names keep their order. */
  sort(): void {
    this.#pairs.sort(([one], [other]) => (one < other ? -1 : Number(one > other)));
    this.#update();
  }
  toString(): string {
    return serializeForm(this.#pairs);
  }

  #update(): void {
    this.#told?.(serializeForm(this.#pairs));
  }

  static {
    pairIterators(this, (params) => params.#pairs);
    describeInterface(this);
  }
}
function fitting(name: unknown, value?: unknown): (pair: Pair) => boolean {
  const key = toUsv(name);
  if (value === undefined) return (pair) => pair[0] === key;
  const text = toUsv(value);
  return (pair) => pair[0] === key && pair[1] === text;
}

function toPairs(init: unknown): Pair[] {
  if ((typeof init !== 'object' && typeof init !== 'function') || init === null) {
    const text = toUsv(init);
    return parseForm(text.startsWith('?') ? text.slice(1) : text);
  }
  const each = (init as { readonly [Symbol.iterator]?: unknown })[Symbol.iterator];
  if (each !== undefined && each !== null) {
    return toSequence(init, 'The pairs').map((pair) => {
      const [name, value, ...more] = toSequence(pair, 'Each pair').map(toUsv);
      if (name === undefined || value === undefined || more.length > 0) {
        throw new TypeError('Each pair must have a name and a value');
      }
      return [name, value];
    });
  }
  // Names that become the same count once, the last value.
  const record = new Map<string, string>();
  for (const key of Reflect.ownKeys(init)) {
    const property = Object.getOwnPropertyDescriptor(init, key);
    if (property?.enumerable !== true) continue;
    record.set(toUsv(key), toUsv((init as Record<PropertyKey, unknown>)[key]));
  }
  return [...record];
}
