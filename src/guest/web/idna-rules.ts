/**
 * Which characters a domain may have, and what they are mapped to: UTS #46, told from Unicode's properties. The
 * bidirectional classes (RFC 5893) and the joining types (RFC 5892) V8 does not have: scripts and blocks stand for
 * them.
 */

export type IdnaRules = {
  /** What a character stands for: itself, others, a dot between labels, or nothing; undefined = it may not be. */
  map(character: string): string | undefined;
  /** May a label, mapped and without punycode, be in a domain? */
  isValid(label: string): boolean;
};

export function createIdnaRules(): IdnaRules {
  const invalid = /[\p{Cn}\p{Co}\p{Cs}\p{Cc}\p{Cf}\p{Z}\u2ff0-\u2fff\u31ef\ufffc\ufffd]/u;
  const ignored =
    /(?![\p{Cn}\p{Bidi_Control}\p{Join_Control}\u{e0000}-\u{e00ff}])\p{Default_Ignorable_Code_Point}/u;
  const dots = /[.\u3002\uff0e\uff61]/;
  const joiner = /\p{Join_Control}/u;
  const joinersFit = createJoinerRule();
  const keepsOneDirection = createBidiRule();
  return {
    map(character) {
      if (ignored.test(character)) return '';
      if (dots.test(character)) return '.';
      if (character === '\u03c2' || joiner.test(character)) return character;
      let mapped = '';
      for (const each of character.normalize('NFKC')) mapped += fold(each);
      // One that contains a dot would make two labels of one.
      if (dots.test(mapped)) return undefined;
      return mapped.normalize('NFKC').replaceAll('\u03c2', '\u03c3');
    },
    isValid: (label) =>
      // oxlint-disable-next-line no-control-regex -- ASCII has them
      /^[\0-\x7f]*$/.test(label) ||
      (!/^\p{M}/u.test(label) &&
        label.normalize('NFC') === label &&
        !invalid.test(label.replace(/\p{Join_Control}/gu, '')) &&
        (!joiner.test(label) || joinersFit(label)) &&
        keepsOneDirection(label)),
  };
}

/** Case folding, which is lower case but for these. */
function fold(character: string): string {
  if (/[\u13a0-\u13fd\uab70-\uabbf]/.test(character)) return foldCherokee(character.charCodeAt(0));
  return /[\u0345\u1c80-\u1c88\u1f80-\u1ffc]/.test(character)
    ? character.toUpperCase().toLowerCase()
    : character.toLowerCase();
}

/** The one script whose small letters stand for its capitals, which are older. */
function foldCherokee(code: number): string {
  if (code >= 0xab70) return String.fromCharCode(code - 0xab70 + 0x13a0);
  return String.fromCharCode(code >= 0x13f8 ? code - 8 : code);
}

/** RFC 5892, appendix A.1 and A.2: joiners come after a virama, or between letters that join. */
function createJoinerRule(): (label: string) => boolean {
  const virama =
    '[\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d3b\u0d3c\u0d4d\u0dca\u0e3a\u0eba\u0f84\u1039\u103a\u1714\u1715\u1734\u17d2\u1a60\u1b44\u1baa\u1bab\u1bf2\u1bf3\u2d7f\ua806\ua82c\ua8c4\ua953\ua9c0\uaaf6\uabed\u{10a3f}\u{11046}\u{11070}\u{1107f}\u{110b9}\u{11133}\u{11134}\u{111c0}\u{11235}\u{112ea}\u{1134d}\u{11442}\u{114c2}\u{115bf}\u{1163f}\u{116b6}\u{1172b}\u{11839}\u{1193d}\u{1193e}\u{119e0}\u{11a34}\u{11a47}\u{11a99}\u{11c3f}\u{11d44}\u{11d45}\u{11d97}]';
  const joining =
    '(?=\\p{L})[\\p{scx=Arab}\\p{scx=Syrc}\\p{scx=Mong}\\p{scx=Nkoo}\\p{scx=Mand}\\p{scx=Phag}\\p{scx=Adlm}\\p{scx=Rohg}]';
  const neverJoinsNext =
    '[\u0622-\u0625\u0627\u0629\u062f-\u0632\u0648\u0671-\u0673\u0675-\u0677\u0688-\u0699\u06c0-\u06cb\u06cd\u06cf\u06d2\u06d3\u06d5\u0710\u0715-\u0719\u071e\u0728\u072a\u072c]';
  const fitting = new RegExp(
    `(?<=${virama})\\p{Join_Control}|(?<=(?!${neverJoinsNext})${joining}\\p{M}*)\u200c(?=\\p{M}*${joining})`,
    'gu',
  );
  return (label) => !/\p{Join_Control}/u.test(label.replace(fitting, ''));
}

/** RFC 5893: a label with a letter from right to left has none from left to right. */
function createBidiRule(): (label: string) => boolean {
  // Classes R and AL are whole blocks, but for these.
  const others =
    '\u0606\u0607\u0609\u060a\u060c\u060e\u060f\u066a\u06de\u06e9\u06f0-\u06f9\u07f6-\u07f9\ufd3e-\ufd4f\ufdcf\ufdfd-\ufdff\u{1091f}\u{10b39}-\u{10b3f}\u{10d6e}\u{1eef0}\u{1eef1}';
  const arabicDigit =
    '[\u0660-\u0669\u066b\u066c\u{10d30}-\u{10d39}\u{10d40}-\u{10d49}\u{10e60}-\u{10e7e}]';
  const rtlLetter = `(?!${arabicDigit})(?![\\p{M}${others}])[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefe\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]`;
  const digit = '[0-9\u06f0-\u06f9]';
  const rule = (pattern: string): RegExp => new RegExp(pattern, 'u');
  const rtl = rule(`${rtlLetter}|${arabicDigit}`);
  const start = rule(`^${rtlLetter}`);
  const end = rule(`(?:${rtlLetter}|${arabicDigit}|${digit})[\\p{Mn}\\p{Me}]*$`);
  const ltr = rule(`(?!${digit}|${rtlLetter}|${arabicDigit})[\\p{L}\\p{Mc}\\p{Nd}\\p{Nl}]`);
  const [anyArabicDigit, anyDigit] = [rule(arabicDigit), rule(digit)];
  return (label) => {
    if (!rtl.test(label)) return true;
    const isMixed = ltr.test(label) || (anyArabicDigit.test(label) && anyDigit.test(label));
    return start.test(label) && end.test(label) && !isMixed;
  };
}
