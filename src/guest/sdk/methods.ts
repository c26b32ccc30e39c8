/** A direct method call as the module sees it: the request, and the response it sends once. */
import type { Json } from '../../core/json.ts';
import { takeSeam } from '../seam.ts';
import { callbackOrPromise, type ErrorCallback } from './callback.ts';
import { copyJson } from './json-copy.ts';

const seam = takeSeam();

export class DeviceMethodRequest {
  readonly requestId: string;
  readonly methodName: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- any JSON, as the SDK types it
  readonly payload: any;

  constructor(requestId: string, methodName: string, payload?: Json) {
    this.requestId = requestId;
    this.methodName = methodName;
    this.payload = payload;
  }
}

export class DeviceMethodResponse {
  readonly requestId: string;
  isResponseComplete = false;
  status: number | null = null;
  payload: unknown = null;
  readonly #id: number;

  constructor(id: number) {
    this.#id = id;
    this.requestId = String(id);
  }

  send(status: number, payload: unknown, done: ErrorCallback): void;
  send(status: number, done: ErrorCallback): void;
  send(status: number, payload?: unknown): Promise<void>;
  send(status: number, payload?: unknown, done?: ErrorCallback): Promise<void> | void {
    if (typeof payload === 'function' && done !== undefined) {
      throw new Error('Callback must be the last argument');
    }
    const callback = typeof payload === 'function' ? payload : done;
    const value = typeof payload === 'function' ? null : payload;
    return callbackOrPromise<void>(callback, (end) => {
      if (this.isResponseComplete) {
        throw new Error(
          'This response has already ended. Cannot end the same response more than once.',
        );
      }
      if (!Number.isInteger(status)) {
        throw new ReferenceError(`"status" is "${String(status)}". Expected a number.`);
      }
      seam.request({
        t: 'answer',
        id: this.#id,
        status,
        payload: copyJson(value, 'payload of the response'),
      });
      this.status = status;
      this.payload = value;
      this.isResponseComplete = true;
      // The SDK calls back with no argument at all.
      seam.nextTick(() => (end as () => void)());
    });
  }
}
