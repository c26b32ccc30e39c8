/** One route: `FROM source [WHERE condition] INTO sink` (spec/iotedge.md §6.1, §6.2). */
import { type EndpointId, inputEndpoint, UPSTREAM } from './message.ts';

export type Route = {
  /** Normalised: no trailing `*` or `/`, one `/` at the end, lower case. */
  readonly source: string;
  readonly endpoint: EndpointId;
};

export type RouteProblem = {
  /** What is wrong and what would be right. */
  readonly message: string;
  /** 1-based, into the route's text. */
  readonly column: number;
};

export type ParsedRoute =
  | { readonly ok: true; readonly value: Route }
  | { readonly ok: false; readonly problem: RouteProblem };

/** Thrown and caught in this file: parsing stops at the first thing that makes no sense. */
class Unreadable {
  readonly problem: RouteProblem;
  constructor(message: string, at: number) {
    this.problem = { message, column: at + 1 };
  }
}

/** Never throws. Unlike IoT Edge, text after a complete route is a problem, not ignored. */
export function parseRoute(text: string): ParsedRoute {
  try {
    return { ok: true, value: read(text) };
  } catch (cause) {
    if (cause instanceof Unreadable) return { ok: false, problem: cause.problem };
    throw cause;
  }
}

function read(text: string): Route {
  // Comments count as white space; blanking them out keeps the columns true.
  const code = text.replace(/\/\*[^*/][\s\S]*?\*\//g, (comment) => ' '.repeat(comment.length));
  let at = 0;

  const skip = (): void => {
    at += (/^\s*/.exec(code.slice(at)) as RegExpExecArray)[0].length;
  };
  const word = (expected: string): boolean => {
    skip();
    const found = new RegExp(`^${expected}(?![\\w$])`, 'i').exec(code.slice(at));
    if (found === null) return false;
    at += found[0].length;
    return true;
  };

  if (word('SELECT')) {
    skip();
    if (code[at] !== '*') throw new Unreadable('expected * after SELECT', at);
    at++;
  }
  if (!word('FROM')) throw new Unreadable('expected FROM at the start', at);
  skip();
  const source = /^\/[^\s"'(),;]*/.exec(code.slice(at))?.[0];
  if (source === undefined) {
    throw new Unreadable(
      'expected a source after FROM, such as /messages/modules/<module>/outputs/*',
      at,
    );
  }
  at += source.length;
  if (word('WHERE')) {
    skip();
    const condition = /^true(?=\s)/.exec(code.slice(at));
    if (condition === null) {
      throw new Unreadable('conditions other than "true" are not supported by this version', at);
    }
    at += condition[0].length;
  }
  if (!word('INTO')) throw new Unreadable('expected INTO after the source', at);
  skip();
  const endpoint = readSink();
  skip();
  if (at < code.length) {
    throw new Unreadable(`nothing may follow the sink, but "${code.slice(at).trim()}" does`, at);
  }
  return { source: normaliseSource(source), endpoint };

  function readSink(): EndpointId {
    const start = at;
    const system = /^\$[\w$]*/.exec(code.slice(at))?.[0];
    if (system !== undefined) {
      at += system.length;
      if (system.toLowerCase() === UPSTREAM) return UPSTREAM;
      throw new Unreadable(`${system} is no sink; the only system endpoint is $upstream`, start);
    }
    const call = /^BrokeredEndpoint\s*\(\s*("[^"]*"|'[^']*')\s*\)/i.exec(code.slice(at));
    if (call === null) {
      throw new Unreadable(
        'expected $upstream or BrokeredEndpoint("/modules/<module>/inputs/<input>") after INTO',
        start,
      );
    }
    at += call[0].length;
    const path = (call[1] as string).slice(1, -1).trim();
    const parts = path.replace(/^\//, '').replace(/\/$/, '').split('/');
    const [, module, , input] = parts;
    if (parts.length !== 4 || parts.includes('') || module === undefined || input === undefined) {
      throw new Unreadable(
        `BrokeredEndpoint needs "/modules/<module>/inputs/<input>", it has "${path}"`,
        start,
      );
    }
    return inputEndpoint(module, input);
  }
}

/** Sources are compared by whole segments, without regard to case (spec/iotedge.md §6.2). */
export function normaliseSource(source: string): string {
  return `${source.trim().replace(/\*+$/, '').replace(/\/+$/, '')}/`.toLowerCase();
}
