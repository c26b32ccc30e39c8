/** What a module says of its answer to one HTTP request, put on the wire. It may say anything. */
import {
  type ServerResponse,
  STATUS_CODES,
  validateHeaderName,
  validateHeaderValue,
} from 'node:http';
import { isJsonObject, type Json } from '../core/json.ts';

/** How a piece was taken: `full` = wait for the drain, `gone` = nobody listens any more. */
export type Taken = 'ok' | 'full' | 'gone';

/** One piece of an answer; the first has a head, the last an end. */
export type AnswerPiece = {
  readonly id: number;
  readonly head: AnswerHead | undefined;
  readonly data: Buffer | string | undefined;
  readonly end: boolean;
};

type AnswerHead = {
  readonly status: number;
  readonly message: string;
  readonly headers: readonly (readonly [string, string])[];
};

/** These are between the host and the client: how a body is framed is no business of the module. */
const OURS = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Undefined when it is none: no SDK of ours would send it. */
export function parsePiece(value: Json): AnswerPiece | undefined {
  if (!isJsonObject(value)) return undefined;
  const { id, head = null, data = null, base64 = false, end = false } = value;
  if (typeof id !== 'number') return undefined;
  if (!(data === null || typeof data === 'string')) return undefined;
  if (typeof base64 !== 'boolean' || typeof end !== 'boolean') return undefined;
  const read = head === null ? undefined : parseHead(head);
  if (head !== null && read === undefined) return undefined;
  const bytes = base64 && data !== null ? Buffer.from(data, 'base64') : (data ?? undefined);
  return { id, head: read, data: bytes, end };
}

/** Puts it on the wire; false when it comes at the wrong place, as a second head. */
export function applyPiece(response: ServerResponse, piece: AnswerPiece): boolean {
  const { head, data, end } = piece;
  if ((head === undefined) !== response.headersSent) return false;
  if (head !== undefined) {
    response.statusCode = head.status;
    response.statusMessage = head.message;
    for (const [name, value] of head.headers) {
      const key = name.toLowerCase();
      if (key === 'connection' && value.toLowerCase() === 'close') response.shouldKeepAlive = false;
      if (!OURS.has(key)) response.appendHeader(name, value);
    }
    if (!end) response.flushHeaders();
  }
  if (end) response.end(data);
  else if (data !== undefined && data.length > 0) response.write(data);
  return true;
}

function parseHead(value: Json): AnswerHead | undefined {
  if (!isJsonObject(value)) return undefined;
  const { status, message = '', headers } = value;
  if (!Number.isSafeInteger(status) || (status as number) < 200 || (status as number) > 999) {
    return undefined;
  }
  if (typeof message !== 'string' || !isLine(message) || !Array.isArray(headers)) return undefined;
  if (!headers.every(isHeader)) return undefined;
  return {
    status: status as number,
    message: message === '' ? (STATUS_CODES[status as number] ?? 'unknown') : message,
    headers: headers as unknown as AnswerHead['headers'],
  };
}

function isHeader(value: Json): boolean {
  if (!Array.isArray(value) || value.length !== 2) return false;
  const [name, text] = value as readonly Json[];
  if (typeof name !== 'string' || typeof text !== 'string') return false;
  try {
    validateHeaderName(name);
    validateHeaderValue(name, text);
    return true;
  } catch {
    return false;
  }
}

/** No way to begin a header of one's own. */
function isLine(text: string): boolean {
  return /^[\t\x20-\x7e\x80-\xff]*$/.test(text);
}
