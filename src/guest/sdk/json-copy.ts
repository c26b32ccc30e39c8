/**
 * The user's JSON on its way out: copied, so that later changes do not reach it, and refused here
 * with an error the module can catch where the runtime would take it for an attack.
 */
import { isJsonObject, type Json } from '../../core/json.ts';
import { MESSAGE_BYTES_MAX } from '../../core/message.ts';
import { ArgumentError, MessageTooLargeError } from './errors.ts';

/** Far beyond any limit of the hub's own. */
const DEPTH_MAX = 32;
const NAME_MAX = 256;

/** `what` names the value in errors. Throws ArgumentError, MessageTooLargeError, or TypeError for cycles. */
export function copyJson(value: unknown, what: string): Json {
  const text = JSON.stringify(value) ?? 'null';
  if (text.length > MESSAGE_BYTES_MAX) {
    throw new MessageTooLargeError(
      `The ${what} is ${text.length} characters of JSON; ${MESSAGE_BYTES_MAX} are allowed.`,
    );
  }
  const copy = JSON.parse(text) as Json;
  check(copy, what, DEPTH_MAX);
  return copy;
}

function check(value: Json, what: string, depth: number): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth === 0) throw new ArgumentError(`The ${what} is nested more than ${DEPTH_MAX} deep.`);
  if (isJsonObject(value) && Object.hasOwn(value, '__proto__')) {
    throw new ArgumentError(`The ${what} has a property named __proto__.`);
  }
  for (const item of Object.values(value)) check(item as Json, what, depth - 1);
}

/** A name of an output, a method, a module or a device. */
export function checkName(value: unknown, what: string): string {
  const name = String(value);
  if (name.length <= NAME_MAX) return name;
  throw new ArgumentError(`The ${what} is ${name.length} characters; ${NAME_MAX} are allowed.`);
}
