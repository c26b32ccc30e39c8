/** What the cloud commands share: options of several, and how answers are printed. */
import { Fault } from '../../core/fault.ts';
import type { Json } from '../../core/json.ts';
import type { Arguments, Option } from '../command.ts';
import { deviceOption, loginOptions } from './login.ts';

export const moduleOption: Option = {
  type: 'string',
  short: 'm',
  value: 'NAME',
  help: 'the module',
};

export const base = { ...loginOptions, 'device-id': deviceOption };

export const noWords = { words: '', wordsMin: 0, wordsMax: 0 };

/** Throws CONFIG_INVALID when the option is not there. */
export function required(args: Arguments, option: string): string {
  const value = args.text(option);
  if (value === undefined) throw new Fault('CONFIG_INVALID', `--${option} is needed. See --help.`);
  return value;
}

/** With --json the answer on one line, else a sentence. */
export function print(args: Arguments, json: Json, text: string): void {
  process.stdout.write(args.flag('json') ? `${JSON.stringify(json)}\n` : `${text}\n`);
}

/** An answer that is there to be read: indented, and with --json on one line. */
export function printWhole(args: Arguments, json: Json): void {
  process.stdout.write(`${JSON.stringify(json, null, args.flag('json') ? undefined : 2)}\n`);
}

/** With --json the list on one line, else its table. */
export function printList(args: Arguments, list: readonly Json[], shown: string): void {
  process.stdout.write(args.flag('json') ? `${JSON.stringify(list)}\n` : shown);
}
