/**
 * The one line all clients of a module share: which events the runtime shall send, and who gets
 * them. A module has one identity, so two clients are two views of the same.
 */
import { type ErrorOrigin, takeSeam } from '../seam.ts';
import { Message } from './message.ts';
import { DeviceMethodRequest, DeviceMethodResponse } from './methods.ts';
import { fromWire } from './wire-message.ts';

const seam = takeSeam();

export type MethodHandler = (
  request: DeviceMethodRequest,
  response: DeviceMethodResponse,
) => unknown;
export type InputListener = (inputName: string, message: Message) => unknown;
type What = 'inputs' | 'desired' | 'methods';

/** What a client shows to the link. */
export type Subscriber = {
  inputListeners(): readonly InputListener[];
  method(name: string): MethodHandler | undefined;
  desired(patch: object): void;
};

const wanted: Record<What, Set<Subscriber>> = {
  inputs: new Set(),
  desired: new Set(),
  methods: new Set(),
};

export function listen(what: What, subscriber: Subscriber): void {
  const subscribers = wanted[what];
  if (subscribers.has(subscriber)) return;
  subscribers.add(subscriber);
  if (subscribers.size === 1) seam.request({ t: 'listen', what });
}

export function unlisten(what: What, subscriber: Subscriber): void {
  const subscribers = wanted[what];
  if (!subscribers.delete(subscriber)) return;
  if (subscribers.size === 0) seam.request({ t: 'unlisten', what });
}

/** Acknowledges a received message before its handlers are through. Others are left alone. */
export function settle(message: Message, processed: boolean, reason = ''): void {
  (Message._receiptOf(message) as Receipt | undefined)?.settle(processed, reason);
}

/** The one answer an input gets: when all its handlers are through, or the first time one fails. */
class Receipt {
  readonly #id: number;
  #settled = false;
  /** The loop over the handlers, and each promise one of them gave. */
  #pending = 1;

  constructor(id: number) {
    this.#id = id;
  }
  settle(processed: boolean, reason: string): void {
    if (this.#settled) return;
    this.#settled = true;
    if (processed) seam.ack(this.#id);
    else seam.nack(this.#id, reason);
  }
  call(listener: InputListener, input: string, message: Message): void {
    try {
      const result = listener(input, message);
      if (!isThenable(result)) return;
      this.#pending++;
      result.then(
        () => this.done(),
        (error: unknown) => this.fail(error, 'unhandledRejection'),
      );
    } catch (error) {
      this.fail(error, 'uncaughtException');
    }
  }
  done(): void {
    if (--this.#pending === 0) this.settle(true, '');
  }
  fail(error: unknown, origin: ErrorOrigin): void {
    this.settle(false, error instanceof Error ? `${error.name}: ${error.message}` : String(error));
    seam.uncaught(error, origin);
  }
}

seam.on('input', (event, body) => {
  let listeners: readonly InputListener[] = [];
  for (const subscriber of wanted.inputs) {
    const more = subscriber.inputListeners();
    listeners = listeners.length === 0 ? more : [...listeners, ...more];
  }
  if (listeners.length === 0) {
    seam.nack(event.id, 'The module listens to its inputs no longer.');
    return;
  }
  const message = fromWire(event.p, event.s, body);
  const receipt = new Receipt(event.id);
  Message._setReceipt(message, receipt);
  for (const listener of listeners) receipt.call(listener, event.input, message);
  receipt.done();
});

seam.on('desired', ({ patch }) => {
  for (const subscriber of wanted.desired) subscriber.desired(patch);
});

// A name nobody handles is not answered, as in the Azure SDK: the caller's time runs out.
seam.on('method', ({ id, name, payload }) => {
  for (const subscriber of wanted.methods) {
    const handler = subscriber.method(name);
    if (handler === undefined) continue;
    const response = new DeviceMethodResponse(id);
    const result = handler(new DeviceMethodRequest(response.requestId, name, payload), response);
    if (isThenable(result)) {
      result.then(undefined, (error: unknown) => seam.uncaught(error, 'unhandledRejection'));
    }
    return;
  }
});

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
