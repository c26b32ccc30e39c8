/** What `stat` and `readdir` give, in Node's classes. */
import type { JsonObject } from '../../core/json.ts';

/** By the letter `ls` shows: `-` a file, `d` a folder, `l` a symbolic link, `p` a pipe, `s` a socket. */
class Kind {
  readonly #type: string;
  constructor(type: string) {
    this.#type = type;
  }
  isFile(): boolean {
    return this.#type === '-';
  }
  isDirectory(): boolean {
    return this.#type === 'd';
  }
  isSymbolicLink(): boolean {
    return this.#type === 'l';
  }
  isFIFO(): boolean {
    return this.#type === 'p';
  }
  isSocket(): boolean {
    return this.#type === 's';
  }
  isBlockDevice(): boolean {
    return false;
  }
  isCharacterDevice(): boolean {
    return false;
  }
}

const times = ['atime', 'mtime', 'ctime', 'birthtime'] as const;

export class Stats extends Kind {
  declare readonly size: number;
  declare readonly mtimeMs: number;
  constructor(told: JsonObject) {
    const { type, isDirectory: _, ...numbers } = told;
    super(String(type));
    Object.assign(this, numbers);
    for (const name of times) {
      Object.defineProperty(this, name, {
        get: () => new Date(Number(numbers[`${name}Ms`])),
        enumerable: true,
        configurable: true,
      });
    }
  }
}

export class Dirent extends Kind {
  readonly name: string;
  readonly parentPath: string;
  constructor(name: string, type: string, parentPath: string) {
    super(type);
    this.name = name;
    this.parentPath = parentPath;
  }
}
