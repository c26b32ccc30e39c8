/** How what a module keeps is asked of the supervisor: in order, and not too much at once. */
import type { BlobAsk } from '../../core/blobs.ts';
import type { Json } from '../../core/json.ts';
import type { KeptAsk } from '../../core/kept.ts';
import { type CallError, takeSeam } from '../seam.ts';

const seam = takeSeam();

/** Under the 1,000 a module may have without an answer: its twin needs some, too. */
const AT_ONCE_MAX = 256;

const CODES: Readonly<Record<string, string>> = {
  ArgumentError: 'EINVAL',
  DeviceMaximumQueueDepthExceededError: 'ENOSPC',
  QuotaExceededError: 'ENOSPC',
  ThrottlingError: 'EAGAIN',
};

let atOnce = 0;
const waiting: (() => void)[] = [];

/** Asks are carried out in the order they are made. Rejects with an error that has a `code` like Node's. */
export function askKept(ask: KeptAsk): Promise<Json> {
  return callKept({ t: 'keep', ask });
}

type Call =
  | { readonly t: 'keep'; readonly ask: KeptAsk }
  | { readonly t: 'blob'; readonly ask: BlobAsk };

/** The same for blobs. */
export function callKept({ t, ask }: Call): Promise<Json> {
  // The stack of a rejected call should name its caller, not the answer's arrival.
  const error = new Error();
  return new Promise((resolve, reject) => {
    const send = (): void => {
      atOnce++;
      const own = Object.assign(Object.create(null), ask) as never;
      try {
        seam.call({ t, ask: own }, undefined, (refused, value) => {
          ended();
          if (refused === undefined) resolve(value);
          else reject(named(error, refused));
        });
      } catch (cause) {
        ended();
        reject(cause as Error);
      }
    };
    if (atOnce < AT_ONCE_MAX) send();
    else waiting.push(send);
  });
}

function ended(): void {
  atOnce--;
  waiting.shift()?.();
}

function named(error: Error, { name, message }: CallError): Error {
  error.message = message;
  error.stack = `${name}: ${message}${(error.stack ?? '').replace(/^Error/, '')}`;
  return Object.assign(error, { name, code: CODES[name] ?? 'EIO' });
}
