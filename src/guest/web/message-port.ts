/** `MessageChannel` and `MessagePort` (HTML §9.4), within one module. */
import {
  CLONE,
  describeInterface,
  needArguments,
  TRANSFER,
  toDictionary,
  toSequence,
} from '../world/webidl.ts';
import { DOMException } from './dom-exception.ts';
import { Event, trusted } from './event.ts';
import { defineHandlers } from './event-handler.ts';
import { knowPorts, MessageEvent } from './event-kinds.ts';
import { dispatch, EventTarget } from './event-target.ts';

type Message = { readonly data: unknown; readonly ports: readonly object[] };
/** One end of a channel; the port that holds it may change. */
type End = {
  port: MessagePort | undefined;
  other: End | undefined;
  readonly queue: Message[];
  isStarted: boolean;
};
type Transfer = readonly object[] | { readonly transfer?: readonly object[] };

const inside = Symbol('inside');
const later = setImmediate;
let makePort: (end: End) => MessagePort;
let isPort: (value: object) => value is MessagePort;

export class MessagePort extends EventTarget {
  declare onmessage: ((event: MessageEvent) => unknown) | null;
  declare onmessageerror: ((event: MessageEvent) => unknown) | null;
  declare onclose: ((event: Event) => unknown) | null;
  #end: End | undefined;

  static {
    makePort = (end) => {
      const port = new MessagePort(inside);
      port.#end = end;
      end.port = port;
      return port;
    };
    isPort = (value) => #end in value;
  }

  constructor(...[key]: readonly unknown[]) {
    if (key !== inside) throw new TypeError('Illegal constructor: use a MessageChannel');
    super();
  }

  postMessage(message: unknown, ...[options]: readonly [options?: Transfer]): void {
    const end = this.#end;
    needArguments(arguments.length, 1, 'postMessage');
    const transfer = transferOf(options);
    if (transfer.includes(this)) {
      throw new DOMException('A port cannot be sent through itself', 'DataCloneError');
    }
    const receiver = end?.other;
    const isDoomed = receiver !== undefined && transfer.some((each) => each === receiver.port);
    const [data, moved] = structuredClone([message, transfer], { transfer }) as [unknown, object[]];
    if (receiver === undefined || isDoomed) return;
    receiver.queue.push({ data, ports: moved.filter(isPort) });
    if (receiver.isStarted) later(deliver, receiver);
  }

  start(): void {
    const end = this.#end;
    if (end === undefined || end.isStarted) return;
    end.isStarted = true;
    for (const _ of end.queue) later(deliver, end);
  }

  close(): void {
    const end = this.#end;
    this.#end = undefined;
    if (end === undefined) return;
    // What has arrived is still delivered.
    const { other } = end;
    end.other = undefined;
    if (other === undefined) return;
    other.other = undefined;
    later(closeEnd, other);
  }

  [TRANSFER](): MessagePort {
    const end = this.#end;
    if (end === undefined) {
      throw new DOMException('The MessagePort is detached already', 'DataCloneError');
    }
    this.#end = undefined;
    end.isStarted = false;
    return makePort(end);
  }

  static {
    Object.defineProperty(this.prototype, CLONE, { value: null });
    describeInterface(this);
    defineHandlers(this.prototype, ['message', 'messageerror', 'close'], checked);
    startWithHandler(this.prototype);
  }
}

/** Whoever sets `onmessage` wants messages. */
function startWithHandler(prototype: MessagePort): void {
  const { get, set } = Object.getOwnPropertyDescriptor(prototype, 'onmessage') as {
    get: (this: unknown) => unknown;
    set: (this: unknown, value: unknown) => void;
  };
  const accessors = {
    get onmessage(): unknown {
      return get.call(this);
    },
    set onmessage(value: unknown) {
      set.call(this, value);
      MessagePort.prototype.start.call(this as unknown as MessagePort);
    },
  };
  Object.defineProperty(prototype, 'onmessage', {
    ...Object.getOwnPropertyDescriptor(accessors, 'onmessage'),
  });
}

function deliver(end: End): void {
  if (!end.isStarted || end.port === undefined) return;
  const message = end.queue.shift();
  if (message === undefined) return;
  dispatch(end.port, trusted(new MessageEvent('message', message as never)));
}

function closeEnd(end: End): void {
  // What was sent before comes first.
  while (end.queue.length > 0 && end.isStarted && end.port !== undefined) deliver(end);
  const { port } = end;
  if (port === undefined) return;
  end.port = undefined;
  dispatch(port, trusted(new Event('close')));
}

function transferOf(options: unknown): object[] {
  const isList = typeof options === 'object' && options !== null && Symbol.iterator in options;
  const list = isList
    ? options
    : (toDictionary(options, 'The options of postMessage')['transfer'] ?? []);
  return toSequence(list, 'What is transferred').map((each) => {
    if ((typeof each === 'object' && each !== null) || typeof each === 'function') return each;
    throw new TypeError('Only objects can be transferred');
  });
}

function checked(port: object): void {
  if (!isPort(port)) throw new TypeError('This must be a MessagePort');
}
knowPorts((value) => typeof value === 'object' && value !== null && isPort(value));

export class MessageChannel {
  readonly #port1: MessagePort;
  readonly #port2: MessagePort;
  constructor() {
    const one: End = { port: undefined, other: undefined, queue: [], isStarted: false };
    const other: End = { port: undefined, other: one, queue: [], isStarted: false };
    one.other = other;
    this.#port1 = makePort(one);
    this.#port2 = makePort(other);
  }
  get port1(): MessagePort {
    return this.#port1;
  }
  get port2(): MessagePort {
    return this.#port2;
  }
  static {
    describeInterface(this);
  }
}
