/** MIME types: parsed, written, and found in headers (MIME Sniffing standard §4, fetch standard §2.2.2). */

export type MimeType = {
  /** `type/subtype`, in lower case. */
  readonly essence: string;
  /** Names in lower case, in the order they came. */
  readonly parameters: ReadonlyMap<string, string>;
};

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const lower = (text: string): string => text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
const trimmed = (text: string): string => text.replace(/^[\t\n\r ]+|[\t\n\r ]+$/g, '');
const endTrimmed = (text: string): string => text.replace(/[\t\n\r ]+$/, '');

export function parseMimeType(input: string): MimeType | undefined {
  const text = trimmed(input);
  const semicolon = text.indexOf(';');
  const whole = endTrimmed(semicolon < 0 ? text : text.slice(0, semicolon));
  const [type = '', ...rest] = whole.split('/');
  const subtype = rest.join('/');
  if (!token.test(type) || !token.test(subtype)) return undefined;
  const parameters = new Map<string, string>();
  let at = semicolon < 0 ? text.length : semicolon + 1;
  while (at < text.length) {
    while (/[\t\n\r ]/.test(text.charAt(at))) at++;
    const nameEnd = endOf(text, at, /[;=]/);
    const name = lower(text.slice(at, nameEnd));
    at = nameEnd + 1;
    if (text.charAt(nameEnd) !== '=') continue;
    let value: string;
    if (text.charAt(at) === '"') {
      const quoted = readQuoted(text, at);
      value = quoted.value;
      at = endOf(text, quoted.end, /;/) + 1;
    } else {
      const end = endOf(text, at, /;/);
      value = endTrimmed(text.slice(at, end));
      at = end + 1;
      if (value === '') continue;
    }
    const isValid = token.test(name) && /^[\t\x20-\x7e\x80-\xff]*$/.test(value);
    if (isValid && !parameters.has(name)) parameters.set(name, value);
  }
  return { essence: lower(`${type}/${subtype}`), parameters };
}

function endOf(text: string, from: number, stop: RegExp): number {
  for (let at = from; at < text.length; at++) if (stop.test(text.charAt(at))) return at;
  return text.length;
}

/** From the quotation mark on; without one that closes, to the end. */
function readQuoted(text: string, from: number): { readonly value: string; readonly end: number } {
  let value = '';
  for (let at = from + 1; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') return { value, end: at + 1 };
    if (character === '\\') {
      at++;
      value += at < text.length ? text.charAt(at) : '\\';
    } else {
      value += character;
    }
  }
  return { value, end: text.length };
}

export function formatMimeType({ essence, parameters }: MimeType): string {
  const parts = [...parameters].map(([name, value]) =>
    token.test(value) ? `;${name}=${value}` : `;${name}="${value.replace(/["\\]/g, '\\$&')}"`,
  );
  return essence + parts.join('');
}

/** "Extract a MIME type" from the value of a Content-Type header, several of them joined. */
export function mimeTypeOf(header: string | null): MimeType | undefined {
  if (header === null) return undefined;
  let found: MimeType | undefined;
  let charset: string | undefined;
  for (const value of splitAtCommas(header)) {
    const type = parseMimeType(value);
    if (type === undefined || type.essence === '*/*') continue;
    const own = type.parameters.get('charset');
    if (type.essence !== found?.essence) {
      charset = own;
      found = type;
    } else if (own === undefined && charset !== undefined) {
      found = { ...type, parameters: new Map([...type.parameters, ['charset', charset]]) };
    } else {
      charset = own;
      found = type;
    }
  }
  return found;
}

/** "Get, decode, and split": at commas outside of quotation marks. */
function splitAtCommas(text: string): string[] {
  const values: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') {
      at = readQuoted(text, at).end - 1;
    } else if (character === ',') {
      values.push(text.slice(start, at));
      start = at + 1;
    }
  }
  return [...values, text.slice(start)];
}
