/** The whole body of one request, or the reason why it is not taken. */
import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';

export type BodyOutcome = { readonly ok: true; readonly body: Buffer } | BodyRefused;

type BodyRefused = {
  readonly ok: false;
  /** 0 = the client has left. */
  readonly status: 0 | 413 | 503;
  /** More is coming than is worth waiting for: close the connection. */
  readonly close: boolean;
};

/** A client that hears no before it has sent all often does not hear it: what is a little too much is read. */
const POLITENESS = 4;

/**
 * @param reserve asked for each piece: may the host keep so many bytes more? What it kept is the
 * caller's to give back.
 */
export function readBody(
  request: IncomingMessage,
  bytesMax: number,
  reserve: (bytes: number) => boolean,
): Promise<BodyOutcome> {
  const { promise, resolve } = Promise.withResolvers<BodyOutcome>();
  let chunks: Buffer[] = [];
  let size = 0;
  let refused: 413 | 503 | undefined;
  const refuse = (status: 413 | 503, close: boolean): void => {
    refused = status;
    chunks = [];
    if (close) resolve({ ok: false, status, close });
  };
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > bytesMax) refuse(413, declared > bytesMax * POLITENESS);
  request.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > bytesMax) return refuse(413, size > bytesMax * POLITENESS);
    if (refused !== undefined) return;
    if (reserve(chunk.length)) chunks.push(chunk);
    else refuse(503, false);
  });
  request.on('end', () => {
    if (refused === undefined) resolve({ ok: true, body: Buffer.concat(chunks) });
    else resolve({ ok: false, status: refused, close: false });
  });
  request.on('error', () => {});
  request.on('close', () => resolve({ ok: false, status: 0, close: true }));
  return promise;
}

/** As JSON carries it. */
export function bodyText(body: Buffer): { readonly body: string; readonly base64: boolean } {
  const base64 = !isUtf8(body);
  return { body: body.toString(base64 ? 'base64' : 'utf8'), base64 };
}
