/**
 * One HTTP download: bounded redirects, a limit on silence and on the whole, and a place to go on
 * from. node:http and node:https are loaded at the first download (19 MB resident), not before.
 */
import type { IncomingMessage } from 'node:http';
import { Fault } from '../core/fault.ts';
import type { Clock } from '../core/ports.ts';
import { shownUrl } from './image-reference.ts';

export type DownloadLimits = {
  /** The whole attempt. What arrived by then is kept, so that the next attempt goes on from there. */
  readonly fetchTimeoutMs: number;
  /** Without a byte. */
  readonly stallTimeoutMs: number;
  /** PEM text of an authority to trust besides the system's. */
  readonly ca?: string | undefined;
};

export type Download = {
  /** Where the server begins: `fromByte`, or 0 when it sends everything again. */
  readonly startByte: number;
  /** Bytes of the whole archive, undefined when the server does not say. */
  readonly totalBytes: number | undefined;
  /** False when the body ends where the connection does, so that an early end looks like the real one. */
  readonly endIsKnown: boolean;
  /** Ends when the body is complete; throws DOWNLOAD_FAILED when it is interrupted. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Ends the transfer, early or not. */
  close(): void;
};

const REDIRECTS_MAX = 5;
const redirects = new Set([301, 302, 303, 307, 308]);

/**
 * Rejects with DOWNLOAD_FAILED. Nothing of a URL but host and path is ever told.
 * @param headers lower-case names; `authorization` goes to the host of `from` alone.
 */
export async function startDownload(
  from: URL,
  fromByte: number,
  limits: DownloadLimits,
  clock: Clock,
  headers: Readonly<Record<string, string>> = {},
): Promise<Download> {
  const cut = new AbortController();
  const whole = clock.after(limits.fetchTimeoutMs, () => cut.abort(late(from, limits)));
  const silence = createSilence(clock, limits.stallTimeoutMs, () =>
    cut.abort(silent(from, limits)),
  );
  const close = (): void => {
    whole();
    silence.stop();
    cut.abort();
  };
  try {
    const response = await follow(from, fromByte, headers, cut.signal, limits.ca);
    response.on('error', () => {}); // it may break off before its first chunk is asked for
    const range = readRange(response, fromByte, from);
    const endIsKnown =
      response.headers['content-length'] !== undefined ||
      response.headers['transfer-encoding'] !== undefined;
    const chunks = read(response, from, cut.signal, () => silence.heard());
    return { ...range, endIsKnown, chunks, close };
  } catch (cause) {
    const reason = asFault(cause, from, cut.signal);
    close();
    throw reason;
  }
}

async function follow(
  from: URL,
  fromByte: number,
  headers: Readonly<Record<string, string>>,
  signal: AbortSignal,
  ca: string | undefined,
): Promise<IncomingMessage> {
  const { authorization: _secret, ...open } = headers;
  let url = from;
  for (let hops = 0; hops <= REDIRECTS_MAX; hops += 1) {
    const response = await request(
      url,
      fromByte,
      url.origin === from.origin ? headers : open,
      signal,
      ca,
    );
    const status = response.statusCode ?? 0;
    if (!redirects.has(status)) return response;
    response.destroy();
    const next = URL.parse(response.headers.location ?? '', url);
    if (next === null || !/^https?:$/.test(next.protocol)) {
      throw failed(`${shownUrl(url)} answered ${status} and names no web address to go on to`);
    }
    url = next;
  }
  throw failed(`${shownUrl(from)} redirects more than ${REDIRECTS_MAX} times`);
}

async function request(
  url: URL,
  fromByte: number,
  more: Readonly<Record<string, string>>,
  signal: AbortSignal,
  ca: string | undefined,
): Promise<IncomingMessage> {
  const http = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const headers = {
    'accept-encoding': 'identity',
    'user-agent': 'isolet',
    ...more,
    ...(fromByte > 0 ? { range: `bytes=${fromByte}-` } : {}),
  };
  const trust =
    ca === undefined ? {} : { ca: [...(await import('node:tls')).rootCertificates, ca] };
  return new Promise((resolve, reject) => {
    http.get(url, { headers, signal, agent: false, ...trust }, resolve).on('error', reject);
  });
}

function readRange(
  response: IncomingMessage,
  fromByte: number,
  from: URL,
): Pick<Download, 'startByte' | 'totalBytes'> {
  const status = response.statusCode ?? 0;
  if (status === 206) {
    const [, start, total] =
      /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(response.headers['content-range'] ?? '') ?? [];
    if (Number(start) !== fromByte) {
      throw failed(`${shownUrl(from)} answered another part than the one asked for`);
    }
    return { startByte: fromByte, totalBytes: total === '*' ? undefined : Number(total) };
  }
  if (status !== 200) {
    throw new RefusedDownload(
      status,
      `${shownUrl(from)} answered ${status} ${response.statusMessage ?? ''}`.trim(),
      response.headers['www-authenticate'],
    );
  }
  const length = response.headers['content-length'];
  return { startByte: 0, totalBytes: length === undefined ? undefined : Number(length) };
}

async function* read(
  response: IncomingMessage,
  from: URL,
  signal: AbortSignal,
  heard: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) {
      heard();
      yield chunk as Uint8Array;
    }
  } catch (cause) {
    throw asFault(cause, from, signal);
  }
}

/** Calls `run` when nothing was heard for so long; one timer at a time, however many chunks come. */
function createSilence(
  clock: Clock,
  timeoutMs: number,
  run: () => void,
): { heard(): void; stop(): void } {
  let heardAtMs = clock.elapsed();
  const look = (): void => {
    const restMs = heardAtMs + timeoutMs - clock.elapsed();
    if (restMs <= 0) run();
    else cancel = clock.after(restMs, look);
  };
  let cancel = clock.after(timeoutMs, look);
  return {
    heard: () => {
      heardAtMs = clock.elapsed();
    },
    stop: () => cancel(),
  };
}

/** DOWNLOAD_FAILED with the server's answer. */
export class RefusedDownload extends Fault {
  readonly status: number;
  /** `WWW-Authenticate`: how the server wants to know us. */
  readonly challenge: string;

  constructor(status: number, message: string, challenge = '') {
    super('DOWNLOAD_FAILED', message);
    this.status = status;
    this.challenge = challenge;
  }
}

/** True when the server has no byte at or after the place we asked for. */
export function isRangeRefused(cause: unknown): boolean {
  return cause instanceof RefusedDownload && cause.status === 416;
}

function asFault(cause: unknown, from: URL, signal: AbortSignal): Fault {
  if (cause instanceof Fault) return cause;
  if (signal.reason instanceof Fault) return signal.reason;
  return failed(
    `the download from ${shownUrl(from)} broke off: ${(cause as Error).message}`,
    cause,
  );
}

function late(from: URL, limits: DownloadLimits): Fault {
  return failed(
    `the download from ${shownUrl(from)} was not complete after ${limits.fetchTimeoutMs} ms`,
  );
}

function silent(from: URL, limits: DownloadLimits): Fault {
  return failed(`${shownUrl(from)} sent nothing for ${limits.stallTimeoutMs} ms`);
}

function failed(message: string, cause?: unknown): Fault {
  return new Fault('DOWNLOAD_FAILED', message, { cause });
}
