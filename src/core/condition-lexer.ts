/** The words of the route language (spec/iotedge.md §6.3): the longest match wins, on a tie the earlier pattern. */
import type { Span } from './route-problem.ts';

const keywords = ['select', 'from', 'where', 'into', 'and', 'or', 'not'] as const;
const literals = ['true', 'false', 'null', 'undefined'] as const;
const symbols = '!= <> <= >= || ?? ( ) , + - * / % = < > { }'.split(' ');

type TokenKind =
  | (typeof keywords)[number]
  | (typeof literals)[number]
  | 'symbol'
  | 'string'
  | 'unterminated'
  | 'integer'
  | 'hex'
  | 'real'
  /** `$name` or `$body.path`. */
  | 'system'
  | 'name'
  /** Something with brackets that does not begin with `$`: never valid. */
  | 'path'
  | 'unknown'
  | 'end';

export type Token = Span & { readonly kind: TokenKind; readonly text: string };

/** Identifiers may contain `. - + * % ! | ' #` and more: that is why operators need spaces. */
const NAME = `[^()<>@,;:\\\\"/[\\]?={} \\t\\r\\n]+`;
const PATH = `[^()<>@,;:\\\\"/?={} \\t\\r\\n]+`;
const ESCAPE = `\\\\(?:["'\\\\]|u[0-9a-fA-F]{4})`;
const INSIDE_DOUBLE = `"(?:${ESCAPE}|[^"\\\\])*`;
const INSIDE_SINGLE = `'(?:${ESCAPE}|[^'\\\\])*`;

const patterns: readonly (readonly [TokenKind, RegExp])[] = [
  ['string', sticky(`${INSIDE_DOUBLE}"|${INSIDE_SINGLE}'`)],
  ['unterminated', sticky(`${INSIDE_DOUBLE}|${INSIDE_SINGLE}`)],
  ['integer', sticky('-?[0-9]+')],
  ['hex', sticky('0[xX][0-9a-fA-F]+')],
  // IoT Edge reads `e5` as a number without a mantissa, which has no value; here it is a name.
  ['real', sticky('-?[0-9]*\\.[0-9]+(?:[eE][+-]?[0-9]+)?|-?[0-9]+[eE][+-]?[0-9]+')],
  ['symbol', sticky(symbols.map((symbol) => symbol.replace(/[^<>=!]/g, '\\$&')).join('|'))],
  ['system', sticky(`\\$${PATH}`)],
  ['name', sticky(NAME)],
  ['path', sticky(PATH)],
];
const wordKinds: ReadonlySet<string> = new Set([...keywords, ...literals]);
const caseless: ReadonlySet<string> = new Set(keywords);

/** The first token at or after `at`; white space and comments are passed over. Never fails: what fits nothing is `unknown`. */
export function readToken(text: string, at: number): Token {
  const start = skipHidden(text, at);
  if (start >= text.length) return { kind: 'end', text: '', start, end: start };
  let kind: TokenKind = 'unknown';
  let end = start + 1;
  for (const [candidate, pattern] of patterns) {
    pattern.lastIndex = start;
    if (!pattern.test(text)) continue;
    if (kind !== 'unknown' && pattern.lastIndex <= end) continue;
    kind = candidate;
    end = pattern.lastIndex;
  }
  const found = text.slice(start, end);
  return { kind: kind === 'name' ? nameKind(found) : kind, text: found, start, end };
}

/** Keywords in any case; `true`, `false`, `null` and `undefined` only as written here. */
function nameKind(text: string): TokenKind {
  const lower = text.toLowerCase();
  if (!wordKinds.has(lower)) return 'name';
  return lower === text || caseless.has(lower) ? (lower as TokenKind) : 'name';
}

/** Where the next word begins: after white space and closed comments. */
export function skipHidden(text: string, from: number): number {
  let at = from;
  for (;;) {
    at = skipSpace(text, at);
    if (!text.startsWith('/*', at)) return at;
    const close = text.indexOf('*/', at + 2);
    if (close < 0) return at;
    at = close + 2;
  }
}

export function skipSpace(text: string, from: number): number {
  let at = from;
  while (' \t\r\n'.includes(text[at] ?? '.')) at++;
  return at;
}

/** Where the identifier ends that begins at `from`; `from` itself when there is none. */
export function skipName(text: string, from: number): number {
  nameOnly.lastIndex = from;
  return nameOnly.test(text) ? nameOnly.lastIndex : from;
}

const nameOnly = sticky(NAME);

function sticky(source: string): RegExp {
  return new RegExp(source, 'y');
}

/** `\uXXXX` first, then `\"`, `\'` and `\\` (spec/iotedge.md §6.6). */
export function unescape(inside: string): string {
  return inside
    .replace(/\\[uU]([0-9a-fA-F]{4})/g, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
    .replace(/\\(["'\\])/g, '$1');
}
