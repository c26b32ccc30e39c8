/**
 * The way out of the isolate. Requests of a turn are collected as text and leave together, once the
 * turn's microtasks have come to rest.
 *
 * Items are put together by hand from JSON of their parts: a `toJSON` on a prototype, or a replaced
 * `JSON.stringify`, must not reach the frame.
 */
import {
  type GuestEvent,
  type HostCall,
  type HostEvent,
  type Outbox,
  TEXT_BYTES_MAX,
} from '../../core/guest-protocol.ts';
import { CALLS_MAX, FLUSH_ITEMS_MAX, FLUSH_SIZE_MAX, REASON_MAX } from '../limits.ts';
import type { Seam } from '../seam.ts';
import { decodeUtf8Strictly, encodeUtf8 } from '../world/utf8.ts';
import { keys, ownMap, stringify } from './primordials.ts';

/** A flush waits for this many microtasks in a row without a new request: code after a few `await`s still counts to the turn. */
const QUIET_HOPS = 16;
/** But for no more than this many, if the microtasks never come to rest. */
const HOPS_MAX = 4096;

type SendItem = {
  readonly output: string | null;
  readonly p: Readonly<Record<string, string>>;
  readonly s: Readonly<Record<string, string>>;
};
/** Output names kept as JSON. */
const ENCODED_NAMES_MAX = 100;

type Item = Readonly<Record<string, unknown>>;
type Answer = { readonly call: number; readonly value?: unknown; readonly error?: unknown };
type Done<Failure> = (error: Failure | undefined, value: never) => void;

export type Border = Pick<Seam, 'request' | 'call' | 'hostCall' | 'ack' | 'nack'> & {
  /** From now on flushes go here. */
  readonly open: (outbox: Outbox) => void;
  readonly log: (level: string, text: string) => void;
  /** Sends what there is and closes the border. */
  readonly exit: (code: number) => void;
  /** The supervisor's or the host's answer to a call. */
  readonly reply: (event: Extract<GuestEvent, { t: 'reply' }>) => void;
  readonly done: (event: Extract<HostEvent, { t: 'done' }>) => void;
  /** There is something to tell: flush at the end of this turn. */
  readonly touch: () => void;
};

/** `timerMs` is asked at each flush for the delay to the earliest timer, -1 for none. */
export function createBorder(timerMs: () => number): Border {
  let outbox: Outbox | undefined;
  let requests = '';
  let itemCount = 0;
  let bodies: Uint8Array[] = [];
  let bodiesSize = 0;
  let acks = '';
  let nackReason = '';
  let nacks = '';
  let hostCalls = '';
  let settling = false;
  let quietHops = 0;
  let lastCall = 0;
  let lastHostCall = 0;
  let waiting = 0;
  const calls = ownMap<number, Done<never>>();
  const callsToHost = ownMap<number, Done<never>>();

  /** `await` of no promise is the one way to a microtask that a module cannot have patched. */
  async function settle(): Promise<void> {
    for (let hops = 0; quietHops < QUIET_HOPS && hops < HOPS_MAX; hops++) {
      quietHops++;
      // oxlint-disable-next-line typescript/await-thenable -- a microtask, see above
      await undefined;
    }
    settling = false;
    flush();
  }

  function touch(): void {
    quietHops = 0;
    if (settling) return;
    settling = true;
    void settle();
  }

  function add(item: string): void {
    requests = append(requests, item);
    countItem();
  }

  function countItem(): void {
    itemCount++;
    if (itemCount >= FLUSH_ITEMS_MAX || requests.length + bodiesSize >= FLUSH_SIZE_MAX) flush();
    else touch();
  }

  function endNacks(): void {
    if (nacks === '') return;
    requests = append(requests, `{"t":"nack","ids":[${nacks}],"reason":${stringify(nackReason)}}`);
    nacks = '';
  }

  function flush(): void {
    if (outbox === undefined) return;
    endNacks();
    if (acks !== '') requests = append(requests, `{"t":"ack","ids":[${acks}]}`);
    const batch = requests === '' ? '' : `[${requests}]`;
    const bytes = bodiesSize === 0 ? undefined : join(bodies, bodiesSize);
    const host = hostCalls === '' ? '' : `[${hostCalls}]`;
    requests = acks = hostCalls = '';
    itemCount = bodiesSize = 0;
    bodies = [];
    outbox(batch, bytes, host, timerMs());
  }

  function countCall(): void {
    if (waiting >= CALLS_MAX) {
      throw new RangeError(
        `This module has ${CALLS_MAX} requests without an answer; wait for some before making more.`,
      );
    }
    waiting++;
  }

  function end(table: Map<number, Done<never>>, answer: Answer): void {
    const done = table.get(answer.call);
    if (done === undefined) return;
    table.delete(answer.call);
    waiting--;
    done(answer.error as never, (answer.value ?? null) as never);
  }

  return {
    open(to) {
      outbox = to;
    },
    touch,
    request(item) {
      add(`{${encode(item)}}`);
    },
    call(item, body, done) {
      const fields = item.t === 'send' ? encodeSend(item) : encode(item);
      countCall();
      const call = ++lastCall;
      calls.set(call, done as Done<never>);
      if (body === undefined) {
        add(`{${fields},"call":${call}}`);
        return;
      }
      const text = asText(body);
      if (text === undefined) {
        const bytes =
          typeof body === 'string' ? encodeUtf8(body) : new Uint8Array(body as Uint8Array);
        bodies[bodies.length] = bytes;
        bodiesSize += bytes.length;
        add(`{${fields},"call":${call},"b":${bytes.length}}`);
      } else {
        add(`{${fields},"call":${call},"b":${stringify(text)}}`);
      }
    },
    hostCall(item, done) {
      const fields = encode(item);
      countCall();
      const call = ++lastHostCall;
      callsToHost.set(call, done as Done<never>);
      const text = `{${fields},"call":${call}}`;
      if (hostCalls !== '' && hostCalls.length + text.length > FLUSH_SIZE_MAX) flush();
      hostCalls = append(hostCalls, text);
      touch();
    },
    ack(id) {
      acks = append(acks, `${id}`);
      countItem();
    },
    nack(id, reason) {
      const cut = reason.length > REASON_MAX ? reason.slice(0, REASON_MAX) : reason;
      if (cut !== nackReason) endNacks();
      nackReason = cut;
      nacks = append(nacks, `${id}`);
      countItem();
    },
    log(level, text) {
      add(`{"t":"log","level":"${level}","text":${stringify(`${text}`)}}`);
    },
    exit(code) {
      const call: HostCall = { t: 'exit', code };
      hostCalls = append(hostCalls, `{${encode(call)}}`);
      flush();
      outbox = undefined;
    },
    reply: (event) => end(calls, event),
    done: (event) => end(callsToHost, event),
  };
}

/** Undefined when it has to cross as bytes. */
function asText(body: string | Uint8Array): string | undefined {
  if (body.length > TEXT_BYTES_MAX) return undefined;
  return typeof body === 'string' ? body : decodeUtf8Strictly(body);
}

function append(list: string, item: string): string {
  return list === '' ? item : `${list},${item}`;
}

function encode(item: Item): string {
  const names = keys(item);
  let text = '';
  for (let i = 0; i < names.length; i++) {
    const name = names[i] as string;
    const json = stringify(item[name]) ?? 'null';
    text = append(text, `"${name}":${json}`);
  }
  return text;
}

/** What most requests are, put together without looking for what may be in them. */
function encodeSend({ output, p, s }: SendItem): string {
  return `"t":"send","output":${encodeName(output)},"p":${encodeBag(p)},"s":${encodeBag(s)}`;
}

const encodedNames = ownMap<string, string>();
let encodedCount = 0;

function encodeName(name: string | null): string {
  if (name === null) return 'null';
  let encoded = encodedNames.get(name);
  if (encoded === undefined) {
    encoded = stringify(name);
    // Who makes up names goes without.
    if (encodedCount++ < ENCODED_NAMES_MAX) encodedNames.set(name, encoded);
  }
  return encoded;
}

/** Bags have no prototype: what `for` finds is their own. */
function encodeBag(bag: Readonly<Record<string, string>>): string {
  for (const _name in bag) return stringify(bag);
  return '{}';
}

/** An array of its own: the copy across the border takes the whole buffer behind a view. */
function join(parts: readonly Uint8Array[], size: number): Uint8Array {
  if (parts.length === 1) return parts[0] as Uint8Array;
  const bytes = new Uint8Array(size);
  let at = 0;
  for (let i = 0; i < parts.length; i++) {
    const part = parts[i] as Uint8Array;
    for (let j = 0; j < part.length; j++) bytes[at++] = part[j] as number;
  }
  return bytes;
}
