/**
 * `fetch`: the host finds the address, compares it with what the module was granted, and speaks HTTP; here
 * is only what the module sees of it. The body of an answer comes piece by piece, as it is read.
 */
import type { Json } from '../../core/json.ts';
import { needArguments } from '../world/webidl.ts';
import { type AbortSignal, whenAborted } from './abort.ts';
import type { Pieces } from './byte-stream.ts';
import { Content } from './content.ts';
import { trustExtraAuthorities } from './extra-authorities.ts';
import { localResponse } from './local-fetch.ts';
import { askNetwork } from './network.ts';
import { Request, type RequestInit, type RequestInput, requestState } from './request.ts';
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
export async function fetch(
  input: RequestInput,
  ...[init]: readonly [init?: RequestInit]
): Promise<Response> {
  needArguments(arguments.length, 1, 'fetch');
  const request = new Request(input, init);
  const { content, signal, url } = requestState(request);
  if (signal.aborted) {
    content?.cancel(signal.reason);
    throw signal.reason;
  }
  if (url.protocol === 'data:' || url.protocol === 'blob:') return localResponse(request);
  const forget = whenAborted(signal, () => content?.cancel(signal.reason));
  let bytes: Uint8Array | undefined;
  try {
    bytes = await content?.lastRead(BODY_BYTES_MAX);
  } finally {
    forget();
    signal.throwIfAborted();
  }
  await trustExtraAuthorities();
  signal.throwIfAborted();
  const exchange = begin(++lastId, signal);
  try {
    const head = (await exchange.ask('fetch', args(exchange.id, request, bytes))) as Head & Piece;
    const pieces = exchange.piecesFrom(head);
    if (request.method === 'HEAD') pieces.cancel();
    const answer = request.method === 'HEAD' ? null : Content.ofPieces(pieces);
    return arrivedResponse({ ...head, content: answer });
  } catch (error) {
    exchange.over();
    throw error;
  }
}

function args(id: number, request: Request, content: Uint8Array | undefined): Json {
  const { url, method, redirect } = request;
  const headers = [...request.headers];
  const body = content === undefined ? null : content.toBase64();
  // Without a prototype, so that a patched one does not garble it.
  return { __proto__: null, id, url, method, redirect, headers, body } as never;
}

type Exchange = {
  readonly id: number;
  /** Rejects when the signal is aborted, too. */
  ask(what: string, args: Json): Promise<Json>;
  /** Nothing is left to abort. */
  over(): void;
  piecesFrom(first: Piece): Pieces;
};

/** Until it is over, the host is told when the signal is aborted. */
function begin(id: number, signal: AbortSignal): Exchange {
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  aborted.catch(() => {});
  let fail: ((reason: unknown) => void) | undefined;
  const cancel = (): void => {
    over();
    askNetwork('cancel', { id }).catch(() => {});
  };
  const over = whenAborted(signal, () => {
    cancel();
    reject(signal.reason);
    fail?.(signal.reason);
  });
  const ask = (what: string, args: Json): Promise<Json> =>
    Promise.race([askNetwork(what, args), aborted]);

  function piecesFrom(first: Piece): Pieces {
    let held: Piece | undefined = first;
    let ended = first.done;
    if (ended) over();
    return {
      async next() {
        if (held === undefined) {
          if (ended) return undefined;
          held = (await ask('read', { id })) as Piece;
          ended = held.done;
          if (ended) over();
        } else if (!ended) {
          signal.throwIfAborted();
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
      whenFailed(run) {
        fail = run;
        if (!ended && signal.aborted) run(signal.reason);
      },
    };
  }
  return { id, ask, over, piecesFrom };
}
