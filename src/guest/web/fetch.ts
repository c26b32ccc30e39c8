/**
 * `fetch`: the host finds the address, compares it with what the module was granted, and speaks HTTP; here
 * is only what the module sees of it. The body of an answer comes piece by piece, as it is read.
 */
import type { Json } from '../../core/json.ts';
import type { Pieces } from './body.ts';
import { trustExtraAuthorities } from './extra-authorities.ts';
import { askNetwork } from './network.ts';
import { contentOfRequest, Request, type RequestInit, type RequestInput } from './request.ts';
import { arrivedResponse, type Response } from './response.ts';

/** The host's limit; beyond it a batch of ours could be too much for it. */
const BODY_BYTES_MAX = 1_048_576;

type Head = {
  readonly status: number;
  readonly statusText: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly url: string;
  readonly redirected: boolean;
};
type Piece = { readonly piece: string; readonly done: boolean };

let lastId = 0;

/** Rejects with a TypeError that has Node's `code` (`EACCES`: not granted), or with the signal's reason. */
export async function fetch(input: RequestInput, init?: RequestInit): Promise<Response> {
  const request = new Request(input, init);
  const { signal } = request;
  signal?.throwIfAborted();
  const content = contentOfRequest(request);
  if (content !== undefined && content.byteLength > BODY_BYTES_MAX) {
    throw new TypeError(
      `The body has ${content.byteLength} bytes, and fetch sends ${BODY_BYTES_MAX} at most: send it in parts`,
    );
  }
  await trustExtraAuthorities();
  signal?.throwIfAborted();
  const id = ++lastId;
  const { raise, over, cancel } = aborting(id, signal);
  try {
    const head = (await Promise.race([
      askNetwork('fetch', args(id, request, content)),
      raise,
    ])) as Head & Piece;
    const pieces = restOf(id, head, raise, over, cancel);
    return arrivedResponse({ ...head, pieces });
  } catch (error) {
    over();
    throw error;
  }
}

function args(id: number, request: Request, content: Uint8Array | undefined): Json {
  const { url, method, headers, redirect } = request;
  const body = content === undefined ? null : content.toBase64();
  // Without a prototype, so that a patched one does not garble it.
  return { __proto__: null, id, url, method, redirect, headers: [...headers], body } as never;
}

/** `raise` rejects when the signal is aborted, and the host is told then, until it is over. */
function aborting(
  id: number,
  signal: Request['signal'],
): { readonly raise: Promise<never>; readonly over: () => void; readonly cancel: () => void } {
  const { promise: raise, reject } = Promise.withResolvers<never>();
  raise.catch(() => {});
  const cancel = (): void => {
    over();
    askNetwork('cancel', { id }).catch(() => {});
  };
  const abort = (): void => {
    cancel();
    reject(signal?.reason);
  };
  const over = (): void => signal?.removeEventListener('abort', abort);
  signal?.addEventListener('abort', abort);
  return { raise, over, cancel };
}

function restOf(
  id: number,
  first: Piece,
  raise: Promise<never>,
  over: () => void,
  cancel: () => void,
): Pieces {
  let held: Piece | undefined = first;
  let ended = first.done;
  if (ended) over();
  return {
    async next() {
      if (held === undefined) {
        if (ended) return undefined;
        held = (await Promise.race([askNetwork('read', { id }), raise])) as Piece;
        ended = held.done;
        if (ended) over();
      }
      const { piece } = held;
      held = undefined;
      return Uint8Array.fromBase64(piece);
    },
    cancel() {
      held = undefined;
      if (!ended) cancel();
      ended = true;
    },
  };
}
