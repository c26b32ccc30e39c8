/**
 * Requests to one container. Its URL holds a token that opens it: nothing here ever says more of the URL
 * than host and path.
 */
import { type OutgoingHttpHeaders, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { Fault } from '../core/fault.ts';
import type { Clock } from '../core/ports.ts';
import type { GiveUp } from '../core/uploads.ts';

type BlobRequest = {
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
};

export type BlobAnswer = {
  readonly status: number;
  /** Azure's word for what is wrong; '' when there is none. */
  readonly code: string;
  /** Which try this is, from 1. */
  readonly attempt: number;
};

export interface BlobDoor {
  /**
   * Puts; tries again what may work later. `done`: an answer that is a refusal means it has been done.
   * Rejects with UPLOAD_FAILED or UPLOAD_REFUSED.
   */
  put(
    blob: string,
    what: BlobRequest,
    giveUp: GiveUp,
    options?: { readonly done?: (answer: BlobAnswer) => boolean },
  ): Promise<void>;
}

export type BlobDoorDeps = {
  readonly clock: Pick<Clock, 'after'>;
  readonly random: () => number;
  /** PEM of all certificate authorities to trust; the system's when absent. */
  readonly ca?: string[];
  /** Pauses before the second try, the third …, ms, each with up to the same again by chance. */
  readonly pausesMs?: readonly number[];
  /** One request, ms. */
  readonly requestMs?: number;
};

/** IoT Edge tries twice more, after 5 to 20 s; a link in the field deserves some more. */
const PAUSES_MS = [2_500, 5_000, 10_000, 20_000];
/** A piece of 1 MB over 10 KB/s. */
const REQUEST_MS = 120_000;
const VERSION = '2021-12-02';
const URL_LENGTH_MAX = 4_096;

export function createBlobDoor(sasUrl: string, deps: BlobDoorDeps): BlobDoor {
  const { clock, random, pausesMs = PAUSES_MS, requestMs = REQUEST_MS } = deps;
  const container = readUrl(sasUrl);

  function urlOf(blob: string, query: BlobRequest['query']): URL {
    const url = new URL(container);
    const path = blob.split('/').map(encodeURIComponent).join('/');
    url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`;
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value);
    return url;
  }

  function ask(url: URL, { headers, body }: BlobRequest, giveUp: GiveUp): Promise<Raw> {
    const options = {
      method: 'PUT',
      headers: {
        ...headers,
        'content-length': String(body.length),
        'x-ms-version': VERSION,
        'x-ms-date': new Date().toUTCString(),
      } satisfies OutgoingHttpHeaders,
      timeout: requestMs,
      ...(deps.ca === undefined ? {} : { ca: deps.ca }),
    };
    return new Promise((resolve, reject) => {
      const send = url.protocol === 'http:' ? requestHttp : requestHttps;
      const asked = send(url, options, (response) => {
        response.resume();
        response.on('end', () => {
          const code = String(response.headers['x-ms-error-code'] ?? '');
          resolve({ status: response.statusCode ?? 0, code });
        });
        response.on('error', reject);
      });
      // Also when it trickles: `timeout` alone is of silence.
      const cancel = clock.after(requestMs, () => asked.destroy(timedOut(requestMs)));
      asked.on('timeout', () => asked.destroy(timedOut(requestMs)));
      const abort = (): void => void asked.destroy();
      giveUp.addEventListener('abort', abort);
      asked.on('close', () => {
        cancel();
        giveUp.removeEventListener('abort', abort);
      });
      asked.on('error', reject);
      if (giveUp.aborted) abort();
      else asked.end(body);
    });
  }

  async function tryOnce(
    url: URL,
    what: BlobRequest,
    giveUp: GiveUp,
    attempt: number,
  ): Promise<BlobAnswer | Fault> {
    try {
      return { ...(await ask(url, what, giveUp)), attempt };
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      const why = giveUp.aborted ? 'it was given up' : (code ?? message);
      return new Fault('UPLOAD_FAILED', `${shown(url)} cannot be reached (${why})`);
    }
  }

  return {
    async put(blob, what, giveUp, { done = () => false } = {}) {
      const url = urlOf(blob, what.query);
      for (let attempt = 1; ; attempt++) {
        const answer = await tryOnce(url, what, giveUp, attempt);
        if (!(answer instanceof Fault)) {
          if ((answer.status >= 200 && answer.status < 300) || done(answer)) return;
          if (isFinal(answer)) throw refusal(url, answer);
        }
        const pauseMs = pausesMs[attempt - 1];
        if (pauseMs === undefined || giveUp.aborted) {
          throw answer instanceof Fault ? answer : failure(url, answer, attempt);
        }
        await pause(pauseMs * (1 + random()), giveUp);
      }
    },
  };

  function pause(delayMs: number, giveUp: GiveUp): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        cancel();
        giveUp.removeEventListener('abort', done);
        resolve();
      };
      const cancel = clock.after(delayMs, done);
      giveUp.addEventListener('abort', done);
    });
  }
}

type Raw = Omit<BlobAnswer, 'attempt'>;

function readUrl(sasUrl: string): URL {
  const url = sasUrl.length > URL_LENGTH_MAX ? null : URL.parse(sasUrl);
  const bad = (what: string): Fault =>
    new Fault(
      'UPLOAD_REFUSED',
      `sasUrl ${what}: give the URL of a container with its SAS token, https://<account>.blob.core.windows.net/<container>?…&sig=…`,
    );
  if (url === null) throw bad('is no URL');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw bad('is not http(s)');
  if (url.username !== '' || url.password !== '') throw bad('has a user name or a password');
  if (url.pathname.replace(/\/$/, '') === '') throw bad('names no container');
  if (!url.searchParams.has('sig')) throw bad('has no signature (sig)');
  url.hash = '';
  return url;
}

/** Of a URL what is no secret. */
const shown = (url: URL): string => `${url.host}${decodeURI(url.pathname)}`;

/** Too many requests, a time-out and the server's own trouble pass. */
function isFinal({ status }: BlobAnswer): boolean {
  return status < 500 && status !== 408 && status !== 429;
}

function refusal(url: URL, { status, code }: BlobAnswer): Fault {
  const advice =
    status === 403
      ? 'the SAS token has expired, or lacks the rights to create, add and write blobs'
      : status === 404
        ? 'there is no such container'
        : 'look at the URL and its container';
  return new Fault(
    'UPLOAD_REFUSED',
    `${shown(url)} was refused (${words(status, code)}): ${advice}`,
  );
}

function failure(url: URL, { status, code }: BlobAnswer, attempts: number): Fault {
  return new Fault(
    'UPLOAD_FAILED',
    `${shown(url)} did not take the upload, ${attempts} times (${words(status, code)}): try later`,
  );
}

/** Error codes are words of the server's; only letters of them are repeated. */
function words(status: number, code: string): string {
  return /^[A-Za-z]{1,64}$/.test(code) ? `${status} ${code}` : String(status);
}

const timedOut = (limitMs: number): Error => new Error(`no answer within ${limitMs / 1_000} s`);
