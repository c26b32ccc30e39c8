/**
 * The one line all clients of a module share: which events the runtime shall send, and who gets
 * them. A module has one identity, so two clients are two views of the same.
 */
import { takeSeam } from '../seam.ts';
import type { Message } from './message.ts';
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
/** Settles a message early: true = processed, false = deliver it again. */
const receipts = new WeakMap<Message, (processed: boolean, reason?: string) => void>();

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
export function settle(message: Message, processed: boolean, reason?: string): void {
  receipts.get(message)?.(processed, reason);
}

seam.on('input', (event, body) => {
  const listeners: InputListener[] = [];
  for (const subscriber of wanted.inputs) listeners.push(...subscriber.inputListeners());
  if (listeners.length === 0) {
    seam.nack(event.id, 'The module listens to its inputs no longer.');
    return;
  }
  const message = fromWire(event.p, event.s, body);
  let settled = false;
  const receipt = (processed: boolean, reason = ''): void => {
    if (settled) return;
    settled = true;
    if (processed) seam.ack(event.id);
    else seam.nack(event.id, reason);
  };
  receipts.set(message, receipt);

  let pending = 1;
  const oneDone = (): void => {
    if (--pending === 0) receipt(true);
  };
  for (const listener of listeners) {
    let result: unknown;
    try {
      result = listener(event.input, message);
    } catch (error) {
      receipt(false, reasonOf(error));
      seam.uncaught(error, 'uncaughtException');
      continue;
    }
    if (!isThenable(result)) continue;
    pending++;
    result.then(oneDone, (error: unknown) => {
      receipt(false, reasonOf(error));
      seam.uncaught(error, 'unhandledRejection');
    });
  }
  oneDone();
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

function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
