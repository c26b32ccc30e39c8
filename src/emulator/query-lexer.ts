/** The words of the hub's query language (spec/iothub.md §5.5). Pure. */
import { HubError } from './hub-error.ts';

export type QueryToken = {
  readonly kind: 'word' | 'text' | 'number' | 'symbol' | 'end';
  /** A word as written; a text without its quotes; a name in double brackets is a word. */
  readonly text: string;
  /** True for `[[…]]`: never a keyword. */
  readonly quoted: boolean;
  /** Where it begins, counted from 0. */
  readonly at: number;
};

const SPACE = /\s+/y;
const WORD = /[A-Za-z_$][\w$]*/y;
const QUOTED = /\[\[([^[\]]+)\]\]/y;
const NUMBER = /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** A quote inside is doubled, or has a backslash before it. */
const TEXT = /'((?:''|\\.|[^'\\])*)'|"((?:""|\\.|[^"\\])*)"/y;
const SYMBOL = /!=|<>|<=|>=|[()[\],.*=<>+\-/%]/y;

/** Throws ArgumentInvalid at the first character that begins nothing. */
export function readQueryTokens(query: string): readonly QueryToken[] {
  const tokens: QueryToken[] = [];
  let at = 0;
  const match = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    return pattern.exec(query) ?? undefined;
  };
  while (at < query.length) {
    const space = match(SPACE);
    const token = space === undefined ? tokenAt(match, at) : undefined;
    const length = space?.[0].length ?? token?.length;
    if (length === undefined) {
      throw querySyntax(at, `${JSON.stringify(query[at])} begins nothing the language has`);
    }
    if (token !== undefined) tokens.push(token);
    at += length;
  }
  return [...tokens, { kind: 'end', text: '', quoted: false, at }];
}

function tokenAt(
  match: (pattern: RegExp) => RegExpExecArray | undefined,
  at: number,
): (QueryToken & { readonly length: number }) | undefined {
  const quoted = match(QUOTED);
  if (quoted !== undefined) {
    return { kind: 'word', text: quoted[1] as string, quoted: true, at, length: quoted[0].length };
  }
  for (const [kind, pattern] of [
    ['word', WORD],
    ['number', NUMBER],
    ['symbol', SYMBOL],
  ] as const) {
    const found = match(pattern)?.[0];
    if (found !== undefined) return { kind, text: found, quoted: false, at, length: found.length };
  }
  const text = match(TEXT);
  if (text === undefined) return undefined;
  const inside = text[1]?.replaceAll("''", "'") ?? (text[2] ?? '').replaceAll('""', '"');
  const plain = inside.replace(/\\(.)/gs, '$1');
  return { kind: 'text', text: plain, quoted: false, at, length: text[0].length };
}

/** A refusal that names the place, counted from 1 as editors do. */
export function querySyntax(at: number, problem: string): HubError {
  return new HubError('ArgumentInvalid', `the query at character ${at + 1}: ${problem}`);
}
