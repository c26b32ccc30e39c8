/** HTTP over the local socket: ask for a path, get JSON, or JSON lines for as long as you listen. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Fault } from '../core/fault.ts';

type Answer =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'text'; readonly text: string; readonly type: string }
  | { readonly kind: 'bytes'; readonly content: AsyncIterable<Uint8Array>; readonly type: string }
  /** Lines so far, then each new one until the caller hangs up. */
  | {
      readonly kind: 'lines';
      readonly lines: AsyncIterable<readonly unknown[]>;
      readonly follow: ((line: (value: unknown) => void) => () => void) | undefined;
    }
  | { readonly kind: 'absent'; readonly message: string }
  | { readonly kind: 'refused'; readonly message: string };

export type Resource = {
  /** GET unless it says otherwise: only POST and DELETE change anything. */
  readonly method?: 'POST' | 'DELETE';
  /** Path with `:name` for a variable part, e.g. `/modules/:name/logs`. */
  readonly path: string;
  answer(
    parts: Readonly<Record<string, string>>,
    query: URLSearchParams,
    /** What came with the request, whole; undefined when nothing did. */
    body: string | undefined,
  ): Answer | Promise<Answer>;
};

/** A follower that does not read is let go rather than buffered for. */
const FOLLOW_BUFFER_MAX = 1_048_576;

const FOLLOW_LINES_MAX = 10_000;

/** A manifest as large as a hub would take, many times over. */
const BODY_BYTES_MAX = 4_194_304;

/** Returns the function that serves one connection. */
export function createHttpApi(resources: readonly Resource[]): (socket: Socket) => void {
  const server = createServer((request, response) => {
    const url = URL.parse(request.url ?? '/', 'http://isolet');
    if (url === null) {
      send(response, 400, { error: `${String(request.url)} is no path` });
      return;
    }
    const asked = resources.flatMap((resource) => {
      const parts = match(resource.path, url.pathname);
      return parts === undefined ? [] : [{ resource, parts }];
    });
    const found = asked.find(({ resource }) => methodOf(resource) === request.method);
    if (found !== undefined) {
      void readBody(request).then((body) => {
        if (body.tooLarge)
          send(response, 413, { error: `a request has at most ${BODY_BYTES_MAX} bytes` });
        else void answer(response, found.resource, found.parts, url.searchParams, body.text);
      });
      return;
    }
    if (asked.length > 0) {
      const methods = asked.map(({ resource }) => methodOf(resource)).join(' and ');
      const error = `${request.method} is not served here, only ${methods}`;
      send(response, 405, { error });
      return;
    }
    const paths = resources.map((resource) => resource.path).join(', ');
    send(response, 404, { error: `${url.pathname} is not served here; there is ${paths}` });
  });
  return (socket) => server.emit('connection', socket);
}

/** Never rejects: who hangs up hears no answer anyway. */
async function readBody(
  request: IncomingMessage,
): Promise<{ readonly tooLarge: boolean; readonly text?: string }> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of request as AsyncIterable<Buffer>) {
      bytes += part.length;
      if (bytes > BODY_BYTES_MAX) return { tooLarge: true };
      parts.push(part);
    }
  } catch {
    return { tooLarge: false };
  }
  return { tooLarge: false, ...(bytes > 0 && { text: Buffer.concat(parts).toString() }) };
}

const methodOf = (resource: Resource): string => resource.method ?? 'GET';

async function answer(
  response: ServerResponse,
  resource: Resource,
  ...asked: Parameters<Resource['answer']>
): Promise<void> {
  try {
    await reply(response, await resource.answer(...asked));
  } catch (cause) {
    // The world's faults are told; a bug of ours must not be hidden.
    if (!(cause instanceof Fault)) throw cause;
    send(response, 503, { error: cause.message });
  }
}

async function reply(response: ServerResponse, answer: Answer): Promise<void> {
  if (answer.kind === 'absent') return send(response, 404, { error: answer.message });
  if (answer.kind === 'refused') return send(response, 400, { error: answer.message });
  if (answer.kind === 'text') {
    response.writeHead(200, { 'content-type': answer.type });
    return void response.end(answer.text);
  }
  if (answer.kind === 'json') return send(response, 200, answer.value);
  if (answer.kind === 'bytes') {
    response.writeHead(200, { 'content-type': answer.type });
    for await (const part of answer.content) {
      response.write(part);
      if (response.writableNeedDrain) await drained(response);
      if (response.destroyed) return;
    }
    return void response.end();
  }
  response.writeHead(200, { 'content-type': 'application/jsonl; charset=utf-8' });
  const write = (value: unknown): void => {
    response.write(`${JSON.stringify(value)}\n`);
    if (response.writableLength > FOLLOW_BUFFER_MAX) response.destroy();
  };
  response.flushHeaders();
  // New ones may come while those so far are still being read.
  let waiting: unknown[] | undefined = [];
  const unfollow = answer.follow?.((value) => {
    if (waiting === undefined) write(value);
    else if (waiting.push(value) > FOLLOW_LINES_MAX) response.destroy();
  });
  if (unfollow !== undefined) response.on('close', unfollow);
  for await (const lines of answer.lines) {
    for (const line of lines) response.write(`${JSON.stringify(line)}\n`);
    // A reader's pace: what is on the disk can wait there.
    if (response.writableNeedDrain) await drained(response);
    if (response.destroyed) return;
  }
  for (const value of waiting) write(value);
  waiting = undefined;
  if (unfollow === undefined) response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.on('drain', done);
    response.on('close', done);
  });
}

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8' });
  response.end(`${JSON.stringify(value)}\n`);
}

function match(pattern: string, path: string): Readonly<Record<string, string>> | undefined {
  const names = pattern.split('/');
  const parts = path.split('/');
  if (names.length !== parts.length) return undefined;
  const found: Record<string, string> = {};
  for (const [index, name] of names.entries()) {
    const part = parts[index] as string;
    if (name.startsWith(':')) {
      const value = decode(part);
      if (value === undefined) return undefined;
      found[name.slice(1)] = value;
    } else if (name !== part) return undefined;
  }
  return found;
}

/** Undefined when the part is no percent-encoded UTF-8. */
function decode(part: string): string | undefined {
  try {
    return decodeURIComponent(part);
  } catch {
    return undefined;
  }
}
