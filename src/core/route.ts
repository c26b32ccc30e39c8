/** One route: `FROM source [WHERE condition] INTO sink` (spec/iotedge.md §6.1, §6.2). */
import { type Condition, compileTokens } from './condition.ts';
import { readToken, skipHidden, skipName, skipSpace, type Token } from './condition-lexer.ts';
import type { RouteReading } from './condition-syntax.ts';
import { type EndpointId, inputEndpoint, UPSTREAM } from './message.ts';
import { createReport, type Report, type RouteProblem, type Span } from './route-problem.ts';

export type Route = {
  /** Normalised: no trailing `*` or `/`, one `/` at the end, lower case. */
  readonly source: string;
  /** Undefined = every message of the source. */
  readonly condition: Condition | undefined;
  readonly endpoint: EndpointId;
  /** As the deployment has it. */
  readonly text: string;
};

export type ParsedRoute =
  | { readonly ok: true; readonly route: Route }
  | { readonly ok: false; readonly problems: readonly RouteProblem[] };

/** A twin cannot carry texts this long (spec/iotedge.md §8.5), so only a mistake reaches it. */
const ROUTE_CHARS_MAX = 16_384;
const TWIN_CHANGES = '/twinchangenotifications/';

/** Never throws; at least one problem where it is not ok. Unlike IoT Edge, text after a complete route is a problem. */
export function parseRoute(text: string, reading: RouteReading = {}): ParsedRoute {
  const { report, problems } = createReport(text);
  const route = readRoute(text, reading, report);
  return route === undefined || problems.length > 0 ? { ok: false, problems } : { ok: true, route };
}

/** Undefined only after a report. */
function readRoute(text: string, reading: RouteReading, report: Report): Route | undefined {
  if (text.length > ROUTE_CHARS_MAX) {
    const span = { start: ROUTE_CHARS_MAX, end: text.length };
    report(span, `The route has more than ${ROUTE_CHARS_MAX} characters`, 'split it in several');
    return undefined;
  }
  let next = readToken(text, 0);
  const take = (): Token => {
    const taken = next;
    next = readToken(text, taken.end);
    return taken;
  };
  const peek = (): Token => next;
  const expected = (what: string, remedy: string): undefined => {
    const found = next.kind === 'end' ? 'its end' : `\`${next.text}\``;
    report(next, `Syntax error: expected ${what}, found ${found}`, remedy);
  };

  if (peek().kind === 'select') {
    take();
    if (peek().text !== '*') return expected('* after SELECT', 'write SELECT * FROM …');
    take();
  }
  if (peek().kind !== 'from') return expected('FROM', 'a route reads FROM … [WHERE …] INTO …');

  const source = readSource(text, peek().end, reading, report);
  if (source === undefined) return undefined;
  next = readToken(text, source.end);
  const normalised = normaliseSource(source.path);

  let condition: Condition | undefined;
  const filtered = peek().kind === 'where';
  if (filtered) {
    take();
    condition = readCondition(normalised);
    if (condition === undefined) return undefined;
  }
  if (peek().kind !== 'into') {
    return expected(
      `INTO after the ${filtered ? 'condition' : 'source'}`,
      'write INTO $upstream or INTO BrokeredEndpoint("/modules/<module>/inputs/<input>")',
    );
  }
  take();
  const endpoint = readSink();
  if (endpoint === undefined) return undefined;
  if (peek().kind !== 'end') {
    report(
      { start: peek().start, end: text.length },
      `Syntax error: nothing may follow the sink, but \`${text.slice(peek().start).trimEnd()}\` does`,
      'a condition stands between the source and INTO: FROM … WHERE … INTO …',
    );
    return undefined;
  }
  return { source: normalised, condition, endpoint, text };

  function readCondition(of: string): Condition | undefined {
    const tokens: Token[] = [];
    while (peek().kind !== 'into' && peek().kind !== 'end') tokens.push(take());
    if (tokens.length === 0) {
      return expected('a condition after WHERE', "write one, such as temperature = 'high'");
    }
    const context = { ...reading, ofTwinChanges: of === TWIN_CHANGES };
    const compiled = compileTokens(text, [...tokens, peek()], context, report);
    // An open quote has taken in what follows: that INTO is missing is no news.
    return tokens.at(-1)?.kind === 'unterminated' ? undefined : compiled;
  }

  function readSink(): EndpointId | undefined {
    const sink = peek();
    if (sink.kind === 'system') {
      take();
      if (sink.text.toLowerCase() === UPSTREAM) return UPSTREAM;
      report(sink, `System endpoint type '${sink.text}' not supported`, 'write INTO $upstream');
      return undefined;
    }
    if (sink.kind !== 'name' || sink.text.toLowerCase() !== 'brokeredendpoint') {
      const remedy = /^upstream$/i.test(sink.text)
        ? 'write $upstream'
        : 'the sinks are $upstream and BrokeredEndpoint("/modules/<module>/inputs/<input>")';
      return expected('a sink after INTO', remedy);
    }
    take();
    const form = 'write BrokeredEndpoint("/modules/<module>/inputs/<input>")';
    if (peek().text !== '(') return expected('(', form);
    take();
    if (peek().kind === 'unterminated') {
      report(peek(), 'Syntax error: unterminated string', `close it with ${peek().text.charAt(0)}`);
      return undefined;
    }
    if (peek().kind !== 'string') return expected('the input in quotes', form);
    const path = take();
    if (peek().text !== ')') return expected(')', form);
    take();
    return readInput(path, report);
  }
}

/** The raw text between the quotes; only its second and fourth part count, as in IoT Edge (§6.1). */
function readInput(path: Token, report: Report): EndpointId | undefined {
  const inside = path.text.slice(1, -1).trim();
  const parts = inside.replace(/^\//, '').replace(/\/$/, '').split('/');
  const [, module, , input] = parts;
  if (parts.length === 4 && module && input) return inputEndpoint(module, input);
  report(path, `'${inside}' is no input of a module`, 'write "/modules/<module>/inputs/<input>"');
  return undefined;
}

type Source = Span & { readonly path: string };

/**
 * `/` and a name or `*`, repeated. In IoT Edge a wildcard opens a comment when a comment ends further
 * on, and a condition in between is lost; here `/*` in a source is always the wildcard.
 */
function readSource(
  text: string,
  from: number,
  { compat }: RouteReading,
  report: Report,
): Source | undefined {
  const skip = compat === undefined ? skipSpace : skipHidden;
  const start = skip(text, from);
  let path = '';
  let end = start;
  for (let at = start; text[at] === '/'; ) {
    const nameEnd = skipName(text, at + 1);
    path += text.slice(at, nameEnd);
    end = nameEnd;
    at = compat === undefined && text[end] === '/' ? end : skipHidden(text, end);
  }
  const hint = 'write one such as /messages/modules/<module>/outputs/*';
  if (path === '') {
    const token = readToken(text, start);
    report(token, 'Syntax error: expected a source after FROM', hint);
    return undefined;
  }
  if (path.includes('//')) {
    report({ start, end }, `Syntax error: '${path}' has an empty segment`, hint);
    return undefined;
  }
  return { path, start, end };
}

/** Sources are compared by whole segments, without regard to case (spec/iotedge.md §6.2). */
export function normaliseSource(source: string): string {
  const text = source.trim();
  return `${withoutTail(withoutTail(text, '*'), '/')}/`.toLowerCase();
}

/** Not a regular expression: those take quadratic time, and modules choose the names of their outputs. */
function withoutTail(text: string, tail: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === tail) end--;
  return text.slice(0, end);
}
