/** JSON given on the command line or in a file. */
import { readFileSync } from 'node:fs';
import { Fault } from '../../core/fault.ts';
import type { Json } from '../../core/json.ts';

/** A file's JSON when `text` names one, else `text` itself as JSON. `argument` is how its place on the command line is called. */
export function jsonArgument(argument: string, text: string): Json {
  let json = text;
  let what = argument;
  if (!/^\s*[{["\d]|^(true|false|null)$/.test(text)) {
    what = text;
    try {
      json = readFileSync(text, 'utf8');
    } catch (cause) {
      throw new Fault(
        'CONFIG_INVALID',
        `${argument}: ${text} is neither JSON nor a file that can be read (${(cause as NodeJS.ErrnoException).code})`,
        { cause },
      );
    }
  }
  try {
    return JSON.parse(json) as Json;
  } catch (cause) {
    throw new Fault('CONFIG_INVALID', `${what} is not valid JSON: ${(cause as Error).message}`, {
      cause,
    });
  }
}
