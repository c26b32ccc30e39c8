/**
 * Asks the host's crypto service (src/host/crypto-service.ts). The host takes only so much of one
 * module at a time, so what is more waits here.
 */
import type { Json } from '../../core/json.ts';
import { takeSeam } from '../seam.ts';
import { DOMException } from '../web/dom-exception.ts';

const seam = takeSeam();

/** Calls at the host at a time: half of what it takes of a module's calls in all. */
const CALLS_MAX = 32;
/** Characters of arguments at the host at a time; one call alone may have as many. */
const LENGTH_MAX = 6_000_000;

type Waiting = { readonly length: number; readonly send: () => void };

const waiting: Waiting[] = [];
let calls = 0;
let length = 0;

function pump(): void {
  for (;;) {
    const next = waiting[0];
    if (next === undefined || calls >= CALLS_MAX) return;
    if (calls > 0 && length + next.length > LENGTH_MAX) return;
    waiting.shift();
    calls++;
    length += next.length;
    next.send();
  }
}

/** `size`: about the characters of its arguments. Rejects with what the host says, as `errorOf` puts it. */
export function askCrypto(
  what: string,
  args: Json,
  size: number,
  errorOf: (code: string, message: string, at: Error) => unknown = asDomException,
): Promise<Json> {
  // Its stack names the caller, not the answer's arrival.
  const at = new Error();
  return new Promise((resolve, reject) => {
    if (size > LENGTH_MAX) {
      const text = 'this is more at once than the runtime takes: 4 MB; do it in parts';
      reject(errorOf('OperationError', text, at) as Error);
      return;
    }
    const send = (): void =>
      seam.hostCall({ t: 'ask', service: 'crypto', what, args }, (refused, value) => {
        calls--;
        length -= size;
        pump();
        if (refused === undefined) resolve(value);
        else {
          const { code, message } = refused;
          reject(errorOf(code, message.replace(`${code}: `, ''), at) as Error);
        }
      });
    waiting.push({ length: size, send });
    pump();
  });
}

function asDomException(code: string, message: string, at: Error): unknown {
  // A host without the service, or one that ends, has codes of Node.
  const name = code.endsWith('Error') ? code : 'OperationError';
  const error = name === 'TypeError' ? new TypeError(message) : new DOMException(message, name);
  const frames = (at.stack ?? '').split('\n').slice(1).join('\n');
  Object.defineProperty(error, 'stack', {
    value: `${name}: ${message}\n${frames}`,
    writable: true,
    configurable: true,
  });
  return error;
}
