/** Fields of a log line for people: `line=3 pump="north 1"`. */
import type { Json, JsonObject } from './json.ts';

/** With a space before each; '' without fields. */
export function fieldsText(fields: JsonObject | undefined): string {
  if (fields === undefined) return '';
  return Object.entries(fields)
    .map(([name, value]) => ` ${plain(name)}=${valueText(value)}`)
    .join('');
}

function valueText(value: Json): string {
  return typeof value === 'string' ? plain(value) : JSON.stringify(value);
}

/** Quoted when it would not be seen as one word. */
function plain(text: string): string {
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}
