/** Hosts of URLs (URL standard §3.5): domains, IPv4 and IPv6 addresses, and the opaque ones. */
import { domainToAscii } from './idna.ts';
import { controlSet, percentDecode, percentEncode } from './percent.ts';

const plainDomain = /^[a-z0-9_.-]*$/;
const forbiddenInHost = /[\0\t\n\r #/:<>?@[\\\]^|]/;
// oxlint-disable-next-line no-control-regex -- they are forbidden
const forbiddenInDomain = /[\0-\x20#%/:<>?@[\\\]^|\x7f]/;

/** As it is written in a URL; undefined when it cannot be one. */
export function parseHost(text: string, isSpecial: boolean): string | undefined {
  if (text.startsWith('[')) {
    const pieces = text.endsWith(']') ? parseIpv6(text.slice(1, -1)) : undefined;
    return pieces && `[${serializeIpv6(pieces)}]`;
  }
  if (!isSpecial) {
    return forbiddenInHost.test(text) ? undefined : percentEncode(text, controlSet);
  }
  const isPlain = plainDomain.test(text) && !text.includes('xn--');
  const domain = isPlain ? text : domainToAscii(percentDecode(text));
  if (domain === undefined || domain === '' || forbiddenInDomain.test(domain)) return undefined;
  return endsInNumber(domain) ? parseIpv4(domain) : domain;
}

function endsInNumber(domain: string): boolean {
  const labels = (domain.endsWith('.') ? domain.slice(0, -1) : domain).split('.');
  return /^(?:[0-9]+|0x[0-9a-f]*)$/.test(labels.at(-1) as string);
}

function parseIpv4(domain: string): string | undefined {
  const parts = domain.split('.');
  if (parts.at(-1) === '' && parts.length > 1) parts.pop();
  if (parts.length > 4) return undefined;
  const numbers = parts.map(parseNumber);
  const last = numbers.pop() as number;
  if (numbers.some((number) => !(number <= 255))) return undefined;
  if (!(last < 256 ** (4 - numbers.length))) return undefined;
  let address = last;
  numbers.forEach((number, i) => {
    address += number * 256 ** (3 - i);
  });
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}

/** Decimal, `0x` hexadecimal, or `0` octal; NaN when it is none. */
function parseNumber(text: string): number {
  if (/^0x[0-9a-f]*$/.test(text)) return text === '0x' ? 0 : Number(text);
  if (/^0[0-7]*$/.test(text)) return Number.parseInt(text, 8);
  return /^[1-9][0-9]*$/.test(text) ? Number(text) : Number.NaN;
}

function parseIpv6(text: string): number[] | undefined {
  const sides = text.split('::');
  if (sides.length > 2) return undefined;
  const parsed = sides.map((side, i) => parsePieces(side, i === sides.length - 1));
  const [before, after] = parsed;
  if (before === undefined || parsed.includes(undefined)) return undefined;
  if (after === undefined) return before.length === 8 ? before : undefined;
  const zeros = 8 - before.length - after.length;
  return zeros < 1 ? undefined : [...before, ...Array<number>(zeros).fill(0), ...after];
}

/** Only the last piece may be an IPv4 address. */
function parsePieces(text: string, isLast: boolean): number[] | undefined {
  if (text === '') return [];
  const pieces: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-f]{1,4}$/i.test(part)) {
      pieces.push(Number.parseInt(part, 16));
      continue;
    }
    const bytes = isLast && i === parts.length - 1 ? part.split('.') : [];
    if (bytes.length !== 4) return undefined;
    if (!bytes.every((byte) => /^(?:0|[1-9][0-9]{0,2})$/.test(byte) && Number(byte) <= 255)) {
      return undefined;
    }
    const [a, b, c, d] = bytes.map(Number) as [number, number, number, number];
    pieces.push(a * 256 + b, c * 256 + d);
  }
  return pieces;
}

/** The first longest run of two zeros or more becomes `::`. */
function serializeIpv6(pieces: readonly number[]): string {
  let start = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (end < 8 && pieces[end] === 0) end++;
    if (end - i > length) {
      start = i;
      length = end - i;
    }
    i = Math.max(i, end - 1);
  }
  const hex = (some: readonly number[]): string => some.map((each) => each.toString(16)).join(':');
  if (start < 0) return hex(pieces);
  return `${hex(pieces.slice(0, start))}::${hex(pieces.slice(start + length))}`;
}
