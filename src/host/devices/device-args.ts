/** Reads what a module asks of its devices. It comes out of an isolate: it may be anything. */
import { isJsonObject, type Json } from '../../core/json.ts';
import { ServiceError } from '../device-services.ts';

export type DeviceArgs = {
  text(name: string): string;
  /** A whole number in the range; `fallback` when it is not there. */
  count(name: string, range: readonly [number, number], fallback?: number): number;
  /** One of the words; the first when it is not there. */
  word<Word extends string>(name: string, words: readonly [Word, ...Word[]]): Word;
  flag(name: string): boolean;
  bytes(name: string, most: number): Uint8Array;
  /** An object inside, empty when it is not there. */
  inner(name: string): DeviceArgs;
};

export function readArgs(value: Json): DeviceArgs {
  const fields = isJsonObject(value) ? value : {};
  const field = (name: string): Json | undefined =>
    Object.hasOwn(fields, name) ? fields[name] : undefined;
  return {
    text(name) {
      const text = field(name);
      if (typeof text === 'string') return text;
      throw invalid(`"${name}" must be text`);
    },
    count(name, [least, most], fallback) {
      const count = field(name) ?? fallback;
      if (typeof count === 'number' && Number.isInteger(count) && count >= least && count <= most) {
        return count;
      }
      throw invalid(
        `"${name}" must be a whole number from ${least} to ${most}, it is ${show(count)}`,
      );
    },
    word(name, words) {
      const word = field(name) ?? words[0];
      const found = words.find((one) => one === word);
      if (found !== undefined) return found;
      throw invalid(`"${name}" must be one of ${words.join(', ')}, it is ${show(word)}`);
    },
    flag(name) {
      const flag = field(name) ?? false;
      if (typeof flag === 'boolean') return flag;
      throw invalid(`"${name}" must be true or false, it is ${show(flag)}`);
    },
    bytes(name, most) {
      const text = field(name) ?? '';
      if (typeof text !== 'string') throw invalid(`"${name}" must be bytes`);
      const length = Buffer.byteLength(text, 'base64');
      if (length > most) {
        throw new ServiceError(
          'EMSGSIZE',
          `${length} bytes are more than the ${most} of one transfer: send them in pieces`,
        );
      }
      return Buffer.from(text, 'base64');
    },
    inner: (name) => readArgs(field(name) ?? {}),
  };
}

function invalid(text: string): ServiceError {
  return new ServiceError('EINVAL', text);
}

function show(value: Json | undefined): string {
  return (JSON.stringify(value) ?? 'missing').slice(0, 64);
}
