/** `Headers` of the fetch standard: names in lower case, several of one name joined. */

export type HeadersInit =
  | Headers
  | Iterable<readonly [string, string]>
  | Readonly<Record<string, string | number>>;

/** RFC 9110 §5.6.2. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

export class Headers {
  readonly #values = new Map<string, string>();

  constructor(init?: HeadersInit | null) {
    if (init === undefined || init === null) return;
    const pairs = Symbol.iterator in init ? init : Object.entries(init);
    for (const [name, value] of pairs as Iterable<readonly [string, unknown]>) {
      this.append(name, value as string);
    }
  }

  append(name: string, value: string): void {
    const key = checkedName(name);
    const before = this.#values.get(key);
    const added = checkedValue(name, value);
    const separator = key === 'cookie' ? '; ' : ', ';
    this.#values.set(key, before === undefined ? added : `${before}${separator}${added}`);
  }
  set(name: string, value: string): void {
    this.#values.set(checkedName(name), checkedValue(name, value));
  }
  get(name: string): string | null {
    return this.#values.get(checkedName(name)) ?? null;
  }
  has(name: string): boolean {
    return this.#values.has(checkedName(name));
  }
  delete(name: string): void {
    this.#values.delete(checkedName(name));
  }
  forEach(run: (value: string, name: string, headers: Headers) => void): void {
    for (const [name, value] of this) run(value, name, this);
  }
  *entries(): IterableIterator<[string, string]> {
    for (const name of [...this.#values.keys()].sort()) {
      yield [name, this.#values.get(name) as string];
    }
  }
  *keys(): IterableIterator<string> {
    for (const [name] of this) yield name;
  }
  *values(): IterableIterator<string> {
    for (const [, value] of this) yield value;
  }
  [Symbol.iterator](): IterableIterator<[string, string]> {
    return this.entries();
  }
}

function checkedName(name: unknown): string {
  const text = String(name);
  if (token.test(text)) return text.toLowerCase();
  throw new TypeError(`${JSON.stringify(text)} is no name of a header`);
}

function checkedValue(name: string, value: unknown): string {
  const text = String(value).replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
  if (!/[^\t\x20-\x7e\x80-\xff]/.test(text)) return text;
  throw new TypeError(
    `The header "${name}" has a line break or another character no header can have`,
  );
}
