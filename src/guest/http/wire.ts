/**
 * The module's side of the host's HTTP service (src/host/http-server-service.ts): listens, hands
 * requests on, and sends the pieces of answers, a bounded part at a time.
 */
import type { Json } from '../../core/json.ts';
import { takeSeam } from '../seam.ts';

const seam = takeSeam();
const SERVICE = 'http';
/** Characters in one ask; the host takes no endless ones, and text may grow by six on the way. */
const ASK_LENGTH_MAX = 131_072;
const AGAIN_MS = 20;

export type RequestNews = {
  readonly id: number;
  readonly method: string;
  readonly url: string;
  readonly version: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly remote: readonly [address: string, port: number, family: string];
  readonly body: string;
  readonly base64: boolean;
};

type Piece = {
  readonly id: number;
  readonly head: Json;
  readonly data: string | null;
  readonly base64: boolean;
  readonly end: boolean;
};

/** An answer with something to send. */
export type Sender = {
  readonly id: number;
  /** The next piece, taken out; undefined = nothing now. */
  take(): Piece | undefined;
  /** What became of it. */
  taken(how: string): void;
  drained(): void;
  /** The client has left. */
  gone(): void;
};

export type ListenError = { readonly code: string; readonly message: string };

const servers = new Map<number, (news: RequestNews) => void>();
const senders = new Map<number, Sender>();
/** Those with something to send, the longest waiting first. */
const ready = new Set<Sender>();
let asking = false;
let flushing = false;

seam.onSignal(SERVICE, (source, value) => {
  const news = value as { readonly t: string; readonly id: number };
  if (news.t === 'request') servers.get(source)?.(value as unknown as RequestNews);
  else if (news.t === 'drain') senders.get(news.id)?.drained();
  else if (news.t === 'gone') senders.get(news.id)?.gone();
});

/** `done` gets the number of the server; its requests come after that. */
export function listen(
  port: number,
  host: string | null,
  onRequest: (news: RequestNews) => void,
  done: (error: ListenError | undefined, source: number) => void,
): void {
  seam.hostCall(
    { t: 'ask', service: SERVICE, what: 'listen', args: { port, host } },
    (error, value) => {
      if (error === undefined) servers.set(value as number, onRequest);
      done(error, value as number);
    },
  );
}

/** `now`: connections under way are cut off, too. */
export function stopListening(source: number, now: boolean): void {
  // Requests that are on their way already still find their server.
  seam.hostCall({ t: 'ask', service: SERVICE, what: 'close', args: { source, now } }, () => {});
}

export function addSender(sender: Sender): void {
  senders.set(sender.id, sender);
}

export function removeSender(sender: Sender): void {
  senders.delete(sender.id);
  ready.delete(sender);
}

/** There is something to take. All of one turn leave together. */
export function wake(sender: Sender): void {
  ready.add(sender);
  if (flushing || asking) return;
  flushing = true;
  seam.nextTick(flush);
}

function flush(): void {
  flushing = false;
  if (asking) return;
  const pieces: Piece[] = [];
  const from: Sender[] = [];
  let length = 0;
  while (ready.size > 0 && length < ASK_LENGTH_MAX) {
    const [sender] = ready as unknown as [Sender];
    ready.delete(sender);
    const piece = sender.take();
    if (piece === undefined) continue;
    pieces.push(piece);
    from.push(sender);
    length += piece.data?.length ?? 0;
    // Behind the others, if it has more.
    if (!piece.end) ready.add(sender);
  }
  if (pieces.length === 0) return;
  asking = true;
  send(pieces, from);
}

function send(pieces: readonly Piece[], from: readonly Sender[]): void {
  seam.hostCall({ t: 'ask', service: SERVICE, what: 'respond', args: pieces }, (error, value) => {
    if (error?.code === 'EMFILE') {
      // The module asks the device for too much at once; an answer is not lost for that.
      setTimeout(() => send(pieces, from), AGAIN_MS);
      return;
    }
    asking = false;
    const how = error === undefined ? (value as readonly string[]) : [];
    for (const [index, sender] of from.entries()) {
      try {
        sender.taken(how[index] ?? 'gone');
      } catch (cause) {
        // A listener's own error; the others' answers are as good as before.
        seam.uncaught(cause, 'uncaughtException');
      }
    }
    flush();
  });
}

/** Cuts the connection of this request. */
export function abort(id: number): void {
  const args = [{ id, abort: true }];
  seam.hostCall({ t: 'ask', service: SERVICE, what: 'respond', args }, () => {});
}
