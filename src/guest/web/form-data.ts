/** `FormData` (XMLHttpRequest standard §4.3): names with texts or files. */
import { describeInterface, needArguments, toUsv } from '../world/webidl.ts';
import { Blob, blobParts, createBlob, File, isBlob } from './blob.ts';
import { pairIterators } from './pair-iterator.ts';

type Entry = readonly [name: string, value: string | File];

let entriesIn: (form: FormData) => readonly Entry[];
let isIn: (value: object) => boolean;

export class FormData {
  #entries: Entry[] = [];

  constructor(...[form]: readonly unknown[]) {
    if (form !== undefined) throw new TypeError('There are no HTML forms to make a FormData of');
  }

  append(name: string, value: string | Blob, ...[filename]: readonly [filename?: string]): void {
    needArguments(arguments.length, 2, 'append');
    this.#entries.push(toEntry(name, value, filename, arguments.length > 2));
  }
  delete(name: string): void {
    needArguments(arguments.length, 1, 'delete');
    const key = toUsv(name);
    this.#entries = this.#entries.filter(([other]) => other !== key);
  }
  get(name: string): string | File | null {
    needArguments(arguments.length, 1, 'get');
    const key = toUsv(name);
    return this.#entries.find(([other]) => other === key)?.[1] ?? null;
  }
  getAll(name: string): (string | File)[] {
    needArguments(arguments.length, 1, 'getAll');
    const key = toUsv(name);
    return this.#entries.flatMap(([other, value]) => (other === key ? [value] : []));
  }
  has(name: string): boolean {
    needArguments(arguments.length, 1, 'has');
    const key = toUsv(name);
    return this.#entries.some(([other]) => other === key);
  }
  set(name: string, value: string | Blob, ...[filename]: readonly [filename?: string]): void {
    needArguments(arguments.length, 2, 'set');
    const entry = toEntry(name, value, filename, arguments.length > 2);
    const [key] = entry;
    const at = this.#entries.findIndex(([other]) => other === key);
    const rest = this.#entries.filter(([other], index) => other !== key || index === at);
    if (at < 0) rest.push(entry);
    else rest[at] = entry;
    this.#entries = rest;
  }

  static {
    entriesIn = (form) => form.#entries;
    isIn = (value) => #entries in value;
    pairIterators(this, (form) => form.#entries);
    describeInterface(this);
  }
  declare entries: () => IterableIterator<[string, string | File]>;
  declare keys: () => IterableIterator<string>;
  declare values: () => IterableIterator<string | File>;
  declare forEach: (run: (value: string | File, name: string, form: FormData) => void) => void;
  declare [Symbol.iterator]: () => IterableIterator<[string, string | File]>;
}

export function isFormData(value: unknown): value is FormData {
  return typeof value === 'object' && value !== null && isIn(value);
}

export function formEntries(form: FormData): readonly Entry[] {
  return entriesIn(form);
}

/** "Create an entry": a Blob becomes a File. */
function toEntry(name: unknown, value: unknown, filename: unknown, isNamed: boolean): Entry {
  const key = toUsv(name);
  if (!isBlob(value)) {
    if (isNamed) throw new TypeError('Only a Blob can have a file name');
    return [key, toUsv(value)];
  }
  const fileName = isNamed && filename !== undefined ? toUsv(filename) : undefined;
  if (value instanceof File && fileName === undefined) return [key, value];
  const { type } = value;
  const lastModified = value instanceof File ? value.lastModified : Date.now();
  const bits: Blob = createBlob(blobParts(value), type);
  return [key, new File([bits], fileName ?? 'blob', { type, lastModified })];
}
