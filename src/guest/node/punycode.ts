/** Stands in for `node:punycode`, and for the package of this name. */
import { decodePunycode, encodePunycode } from '../web/punycode.ts';

export const encode = (text: string): string => encodePunycode(text);

export function decode(text: string): string {
  const decoded = decodePunycode(text);
  if (decoded === undefined) throw new RangeError('Invalid input');
  return decoded;
}

/** Each label of a domain, or of what comes after the `@`. */
function labels(domain: string, change: (label: string) => string): string {
  const at = domain.lastIndexOf('@') + 1;
  const changed = domain
    .slice(at)
    .split(/[.\u3002\uff0e\uff61]/)
    .map(change);
  return domain.slice(0, at) + changed.join('.');
}

// oxlint-disable-next-line no-control-regex -- ASCII has them
const isAscii = (text: string): boolean => /^[\x00-\x7f]*$/.test(text);

export const toASCII = (domain: string): string =>
  labels(domain, (label) => (isAscii(label) ? label : `xn--${encode(label)}`));
export const toUnicode = (domain: string): string =>
  labels(domain, (label) =>
    label.startsWith('xn--') ? decode(label.slice(4).toLowerCase()) : label,
  );

export const ucs2 = {
  decode: (text: string): number[] => Array.from(text, (one) => one.codePointAt(0) as number),
  encode: (codes: readonly number[]): string => String.fromCodePoint(...codes),
};
export const version = '2.1.0';

// oxlint-disable-next-line import/no-default-export -- modules write `import punycode from`
export default { decode, encode, toASCII, toUnicode, ucs2, version };
