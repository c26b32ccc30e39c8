/** Events that carry something: `CustomEvent`, `ErrorEvent`, `MessageEvent`, `PromiseRejectionEvent`, `CloseEvent`. */
import {
  describeInterface,
  needArguments,
  toDictionary,
  toNumber,
  toSequence,
  toUnsignedLong,
  toUsv,
} from '../world/webidl.ts';
import { Event, type EventInit, stateOf } from './event.ts';

export class CustomEvent extends Event {
  #detail: unknown;
  constructor(type: string, init: EventInit & { readonly detail?: unknown } = {}) {
    needArguments(arguments.length, 1, 'The constructor of CustomEvent');
    super(type, init);
    this.#detail = init?.detail ?? null;
  }
  get detail(): unknown {
    return this.#detail;
  }
  initCustomEvent(type: string, bubbles = false, cancelable = false, detail: unknown = null): void {
    needArguments(arguments.length, 1, 'initCustomEvent');
    const free = !stateOf(this).dispatching;
    this.initEvent(type, bubbles, cancelable);
    if (free) this.#detail = detail;
  }
  static {
    describeInterface(this);
  }
}

type ErrorEventInit = EventInit & {
  readonly message?: string;
  readonly filename?: string;
  readonly lineno?: number;
  readonly colno?: number;
  readonly error?: unknown;
};

export class ErrorEvent extends Event {
  readonly #message: string;
  readonly #filename: string;
  readonly #lineno: number;
  readonly #colno: number;
  readonly #error: unknown;
  constructor(type: string, init: ErrorEventInit = {}) {
    needArguments(arguments.length, 1, 'The constructor of ErrorEvent');
    super(type, init);
    const { colno = 0, error, filename = '', lineno = 0, message = '' } = init ?? {};
    this.#colno = toUnsignedLong(colno);
    this.#error = error;
    this.#filename = toUsv(filename);
    this.#lineno = toUnsignedLong(lineno);
    this.#message = `${message}`;
  }
  get message(): string {
    return this.#message;
  }
  get filename(): string {
    return this.#filename;
  }
  get lineno(): number {
    return this.#lineno;
  }
  get colno(): number {
    return this.#colno;
  }
  get error(): unknown {
    return this.#error;
  }
  static {
    describeInterface(this);
  }
}

type MessageEventInit = EventInit & {
  readonly data?: unknown;
  readonly origin?: string;
  readonly lastEventId?: string;
  readonly source?: object | null;
  readonly ports?: readonly object[];
};

export class MessageEvent extends Event {
  #data: unknown;
  #origin: string;
  #lastEventId: string;
  #source: object | null;
  #ports: readonly unknown[];
  constructor(type: string, init: MessageEventInit = {}) {
    needArguments(arguments.length, 1, 'The constructor of MessageEvent');
    super(type, init);
    const { data = null, lastEventId = '', origin = '', ports = [], source = null } = init ?? {};
    this.#data = data;
    this.#lastEventId = `${lastEventId}`;
    this.#origin = toUsv(origin);
    this.#ports = toPorts(ports);
    this.#source = toSource(source);
  }
  get data(): unknown {
    return this.#data;
  }
  get origin(): string {
    return this.#origin;
  }
  get lastEventId(): string {
    return this.#lastEventId;
  }
  get source(): object | null {
    return this.#source;
  }
  get ports(): readonly unknown[] {
    return this.#ports;
  }
  initMessageEvent(
    type: string,
    bubbles = false,
    cancelable = false,
    data: unknown = null,
    origin = '',
    lastEventId = '',
    source: object | null = null,
    ports: readonly object[] = [],
  ): void {
    needArguments(arguments.length, 1, 'initMessageEvent');
    const free = !stateOf(this).dispatching;
    this.initEvent(type, bubbles, cancelable);
    if (!free) return;
    this.#data = data;
    this.#origin = toUsv(origin);
    this.#lastEventId = `${lastEventId}`;
    this.#source = toSource(source);
    this.#ports = toPorts(ports);
  }
  static {
    describeInterface(this);
  }
}

/** What may be a port or the source of a message; message-port.ts adds its class. */
const ports: ((value: unknown) => boolean)[] = [];
export function knowPorts(isPort: (value: unknown) => boolean): void {
  ports.push(isPort);
}
const isPort = (value: unknown): boolean => ports.some((is) => is(value));

function toPorts(value: unknown): readonly unknown[] {
  const list = toSequence(value, 'The "ports" of a MessageEvent');
  if (!list.every(isPort)) throw new TypeError('The "ports" must be MessagePorts');
  return Object.freeze(list);
}

function toSource(value: unknown): object | null {
  if (value === null || value === undefined) return null;
  if (isPort(value)) return value as object;
  throw new TypeError('The "source" of a MessageEvent must be a MessagePort');
}

export class PromiseRejectionEvent extends Event {
  readonly #promise: object;
  readonly #reason: unknown;
  constructor(
    type: string,
    init: EventInit & { readonly promise: object; readonly reason?: unknown },
  ) {
    needArguments(arguments.length, 2, 'The constructor of PromiseRejectionEvent');
    super(type, init);
    const options = toDictionary(init, 'The second argument of a PromiseRejectionEvent');
    const { promise } = options;
    if (typeof promise !== 'object' || promise === null) {
      throw new TypeError('A PromiseRejectionEvent needs the "promise"');
    }
    this.#promise = promise;
    this.#reason = options['reason'];
  }
  get promise(): object {
    return this.#promise;
  }
  get reason(): unknown {
    return this.#reason;
  }
  static {
    describeInterface(this);
  }
}

type CloseEventInit = EventInit & {
  readonly wasClean?: boolean;
  readonly code?: number;
  readonly reason?: string;
};

export class CloseEvent extends Event {
  readonly #wasClean: boolean;
  readonly #code: number;
  readonly #reason: string;
  constructor(type: string, init: CloseEventInit = {}) {
    needArguments(arguments.length, 1, 'The constructor of CloseEvent');
    super(type, init);
    const { code = 0, reason = '', wasClean = false } = init ?? {};
    this.#code = toNumber(code) & 0xffff;
    this.#reason = toUsv(reason);
    this.#wasClean = Boolean(wasClean);
  }
  get wasClean(): boolean {
    return this.#wasClean;
  }
  get code(): number {
    return this.#code;
  }
  get reason(): string {
    return this.#reason;
  }
  static {
    describeInterface(this);
  }
}
