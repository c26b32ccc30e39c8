/**
 * Domains beyond ASCII (UTS #46, non-transitional, as the URL standard §3.3 asks for it). The isolate has
 * Unicode's properties and normal forms, but not UTS #46's tables: what is mapped and what is valid is told from
 * those, with the exceptions there are. The bidirectional classes and joining types are approximate.
 */
import { decodePunycode, encodePunycode } from './punycode.ts';

const invalid = /[\p{Cn}\p{Co}\p{Cs}\p{Cc}\p{Cf}\p{Z}\u2ff0-\u2fff\u31ef\ufffc\ufffd]/u;
const dots = /[.\u3002\uff0e\uff61]/;
const ignored =
  /(?![\p{Cn}\p{Bidi_Control}\p{Join_Control}\u{e0000}-\u{e00ff}])\p{Default_Ignorable_Code_Point}/gu;
const joiner = /\p{Join_Control}/u;
/** Their capitals' small letters are what they stand for. */
const foldByCapital = /[\u0345\u1c80-\u1c88\u1f80-\u1ffc]/;
const cherokee = /[\u13a0-\u13fd\uab70-\uabbf]/;

/** Undefined when it is none. It may still have ASCII characters no URL allows in a host. */
export function domainToAscii(domain: string): string | undefined {
  const mapped = mapDomain(domain);
  if (mapped === undefined) return undefined;
  const labels: string[] = [];
  for (const label of mapped.split('.')) {
    const plain = label.startsWith('xn--') ? decodeLabel(label.slice(4)) : label;
    if (plain === undefined || !isValid(plain) || !keepsOneDirection(plain)) return undefined;
    labels.push(plain);
  }
  return labels.map((label) => (isAscii(label) ? label : `xn--${encodePunycode(label)}`)).join('.');
}

// oxlint-disable-next-line no-control-regex -- ASCII has them
const isAscii = (text: string): boolean => /^[\0-\x7f]*$/.test(text);

function mapDomain(domain: string): string | undefined {
  if (isAscii(domain)) return domain.toLowerCase();
  let mapped = '';
  for (const character of domain.replace(ignored, '')) {
    const one = dots.test(character) ? '.' : mapCharacter(character);
    if (one === undefined) return undefined;
    mapped += one;
  }
  return mapped.normalize('NFC');
}

function mapCharacter(character: string): string | undefined {
  if (character === '\u03c2' || joiner.test(character)) return character;
  let mapped = '';
  for (const each of character.normalize('NFKC')) mapped += fold(each);
  // One that contains a dot would make two labels of one.
  return dots.test(mapped) ? undefined : mapped.normalize('NFKC').replaceAll('\u03c2', '\u03c3');
}

function fold(character: string): string {
  if (cherokee.test(character)) return foldCherokee(character.charCodeAt(0));
  return foldByCapital.test(character)
    ? character.toUpperCase().toLowerCase()
    : character.toLowerCase();
}

/** The one script whose small letters stand for its capitals, which are older. */
function foldCherokee(code: number): string {
  if (code >= 0xab70) return String.fromCharCode(code - 0xab70 + 0x13a0);
  return String.fromCharCode(code >= 0x13f8 ? code - 8 : code);
}

/** What came as punycode must be beyond ASCII, and as it would have been mapped. */
function decodeLabel(code: string): string | undefined {
  const label = decodePunycode(code);
  if (label === undefined || label === '' || isAscii(label)) return undefined;
  return mapDomain(label) === label && !label.includes('.') ? label : undefined;
}

function isValid(label: string): boolean {
  if (isAscii(label)) return true;
  return (
    !/^\p{M}/u.test(label) &&
    label.normalize('NFC') === label &&
    !invalid.test(label.replace(/[\u200c\u200d]/g, '')) &&
    (!joiner.test(label) || joinersFit(label))
  );
}

const virama =
  '[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d3b\u0d3c\u0d4d\u0dca\u0e3a\u0eba\u0f84\u1039\u103a\u1714\u1715\u1734\u17d2\u1a60\u1b44\u1baa\u1bab\u1bf2\u1bf3\u2d7f\ua806\ua82c\ua8c4\ua953\ua9c0\uaaf6\uabed\u{10a3f}\u{11046}\u{11070}\u{1107f}\u{110b9}\u{11133}\u{11134}\u{111c0}\u{11235}\u{112ea}\u{1134d}\u{11442}\u{114c2}\u{115bf}\u{1163f}\u{116b6}\u{1172b}\u{11839}\u{1193d}\u{1193e}\u{119e0}\u{11a34}\u{11a47}\u{11a99}\u{11c3f}\u{11d44}\u{11d45}\u{11d97}]';
/** Scripts whose letters join, but for those that never join what follows. */
const joining =
  '[\\p{scx=Arab}\\p{scx=Syrc}\\p{scx=Mong}\\p{scx=Nkoo}\\p{scx=Mand}\\p{scx=Phag}\\p{scx=Adlm}\\p{scx=Rohg}]';
const joinsBoth = `(?![\u0622-\u0625\u0627\u0629\u062f-\u0632\u0648\u0671-\u0673\u0675-\u0677\u0688-\u0699\u06c0-\u06cb\u06cd\u06cf\u06d2\u06d3\u06d5\u0710\u0715-\u0719\u071e\u0728\u072a\u072c])(?=\\p{L})${joining}`;
/** RFC 5892, appendix A.1 and A.2. */
const fittingJoiner = new RegExp(
  `(?<=${virama})[\u200c\u200d]|(?<=${joinsBoth}\\p{M}*)\u200c(?=\\p{M}*(?=\\p{L})${joining})`,
  'gu',
);

const joinersFit = (label: string): boolean => !joiner.test(label.replace(fittingJoiner, ''));

/** RFC 5893: classes R and AL (`rtlLetter`) and AN (`arabicDigit`), by blocks. */
const arabicDigit =
  '[\u0660-\u0669\u066b\u066c\u{10d30}-\u{10d39}\u{10d40}-\u{10d49}\u{10e60}-\u{10e7e}]';
const rtlLetter = `(?!${arabicDigit})(?!\\p{M})(?![\u0606\u0607\u0609\u060a\u060c\u060e\u060f\u066a\u06de\u06e9\u06f0-\u06f9\u07f6-\u07f9\ufd3e-\ufd4f\ufdcf\ufdfd-\ufdff\u{1091f}\u{10b39}-\u{10b3f}\u{10d6e}\u{1eef0}\u{1eef1}])[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]`;
const digit = '[0-9\u06f0-\u06f9]';
const ltrLetter = `(?!${digit}|${rtlLetter}|${arabicDigit})[\\p{L}\\p{Mc}\\p{Nd}\\p{Nl}]`;
const rtl = new RegExp(`${rtlLetter}|${arabicDigit}`, 'u');
const rtlStart = new RegExp(`^${rtlLetter}`, 'u');
const rtlEnd = new RegExp(`(?:${rtlLetter}|${arabicDigit}|${digit})[\\p{Mn}\\p{Me}]*$`, 'u');
const anyLtr = new RegExp(ltrLetter, 'u');
const anyArabicDigit = new RegExp(arabicDigit, 'u');
const anyDigit = new RegExp(digit, 'u');

/** The bidi rule: a label with a letter from right to left has none from left to right. */
function keepsOneDirection(label: string): boolean {
  if (!rtl.test(label)) return true;
  const isMixed = anyLtr.test(label) || (anyArabicDigit.test(label) && anyDigit.test(label));
  return rtlStart.test(label) && rtlEnd.test(label) && !isMixed;
}
