/**
 * The guest's world as its code sees it: the globals the prelude installs, and the one builtin that
 * comes without types. Used to type-check src/guest and modules with `"types": []`.
 */
declare module 'events' {
  type Listener = (...args: any[]) => unknown;
  export class EventEmitter {
    static EventEmitter: typeof EventEmitter;
    static defaultMaxListeners: number;
    static once(emitter: EventEmitter, name: string | symbol): Promise<any[]>;
    static listenerCount(emitter: EventEmitter, name: string | symbol): number;
    on(name: string | symbol, listener: Listener): this;
    once(name: string | symbol, listener: Listener): this;
    addListener(name: string | symbol, listener: Listener): this;
    prependListener(name: string | symbol, listener: Listener): this;
    prependOnceListener(name: string | symbol, listener: Listener): this;
    off(name: string | symbol, listener: Listener): this;
    removeListener(name: string | symbol, listener: Listener): this;
    removeAllListeners(name?: string | symbol): this;
    emit(name: string | symbol, ...args: any[]): boolean;
    listeners(name: string | symbol): Listener[];
    rawListeners(name: string | symbol): Listener[];
    listenerCount(name: string | symbol): number;
    eventNames(): (string | symbol)[];
    setMaxListeners(count: number): this;
    getMaxListeners(): number;
  }
  export const once: typeof EventEmitter.once;
  export default EventEmitter;
}

declare module 'node:events' {
  export * from 'events';
  export { EventEmitter as default } from 'events';
}

/** V8's own. */
interface ErrorConstructor {
  stackTraceLimit: number;
  captureStackTrace(target: object, above?: unknown): void;
}

interface GuestTimer {
  ref(): this;
  unref(): this;
  hasRef(): boolean;
  refresh(): this;
  close(): this;
  [Symbol.toPrimitive](): number;
}
interface GuestImmediate {
  ref(): this;
  unref(): this;
  hasRef(): boolean;
}
declare function setTimeout<Args extends unknown[]>(
  callback: (...args: Args) => void,
  delayMs?: number,
  ...args: Args
): GuestTimer;
declare function setInterval<Args extends unknown[]>(
  callback: (...args: Args) => void,
  delayMs?: number,
  ...args: Args
): GuestTimer;
declare function setImmediate<Args extends unknown[]>(
  callback: (...args: Args) => void,
  ...args: Args
): GuestImmediate;
declare function clearTimeout(timer: GuestTimer | number | string | null | undefined): void;
declare function clearInterval(timer: GuestTimer | number | string | null | undefined): void;
declare function clearImmediate(immediate: GuestImmediate | null | undefined): void;
declare function queueMicrotask(callback: () => void): void;
declare function structuredClone<T>(
  value: T,
  options?: { readonly transfer?: readonly object[] },
): T;
declare function atob(text: string): string;
declare function btoa(text: string): string;

declare const performance: { now(): number; readonly timeOrigin: number };

interface Console {
  debug(...values: unknown[]): void;
  info(...values: unknown[]): void;
  log(...values: unknown[]): void;
  warn(...values: unknown[]): void;
  error(...values: unknown[]): void;
  trace(...values: unknown[]): void;
  dir(value: unknown, options?: object): void;
  table(value: unknown): void;
  assert(condition: unknown, ...values: unknown[]): void;
  count(label?: string): void;
  countReset(label?: string): void;
  group(...values: unknown[]): void;
  groupCollapsed(...values: unknown[]): void;
  groupEnd(): void;
  time(label?: string): void;
  timeLog(label?: string, ...values: unknown[]): void;
  timeEnd(label?: string): void;
}
declare const console: Console;

declare class TextEncoder {
  readonly encoding: string;
  encode(text?: string): Uint8Array<ArrayBuffer>;
  encodeInto(text: string, bytes: Uint8Array): { read: number; written: number };
}
declare class TextDecoder {
  constructor(label?: string, options?: { readonly fatal?: boolean; readonly ignoreBOM?: boolean });
  readonly encoding: string;
  readonly fatal: boolean;
  readonly ignoreBOM: boolean;
  decode(bytes?: ArrayBuffer | ArrayBufferView, options?: { readonly stream?: boolean }): string;
}

type Buffer = import('buffer').Buffer;
declare const Buffer: typeof import('buffer').Buffer;

interface GuestProcess extends InstanceType<typeof import('events').EventEmitter> {
  readonly env: Record<string, string | undefined>;
  readonly argv: string[];
  readonly pid: number;
  readonly platform: 'linux';
  /** As the host told; undefined when it did not. */
  readonly arch: string | undefined;
  readonly version: string;
  readonly versions: Readonly<Record<string, string>>;
  exitCode: number | undefined;
  exit(code?: number): never;
  nextTick<Args extends unknown[]>(callback: (...args: Args) => void, ...args: Args): void;
  uptime(): number;
  cwd(): string;
  emitWarning(warning: string | Error, kind?: string | { type?: string; code?: string }): void;
  hrtime: { (since?: readonly [number, number]): [number, number]; bigint(): bigint };
  readonly stdout: { readonly isTTY: false; write(text: string): boolean };
  readonly stderr: { readonly isTTY: false; write(text: string): boolean };
}
declare const process: GuestProcess;
declare const global: typeof globalThis;
declare const self: typeof globalThis;

/** Bundled into the modules that name them (src/guest/web/globals.ts). */
declare const fetch: typeof import('./web/fetch.ts').fetch;
type AbortController = import('./web/abort.ts').AbortController;
declare const AbortController: typeof import('./web/abort.ts').AbortController;
type AbortSignal = import('./web/abort.ts').AbortSignal;
declare const AbortSignal: typeof import('./web/abort.ts').AbortSignal;
type MessagePort = import('./web/message-port.ts').MessagePort;
declare const MessagePort: typeof import('./web/message-port.ts').MessagePort;
type MessageChannel = import('./web/message-port.ts').MessageChannel;
declare const MessageChannel: typeof import('./web/message-port.ts').MessageChannel;
type URL = import('./web/url.ts').URL;
declare const URL: typeof import('./web/url.ts').URL;
type URLSearchParams = import('./web/url-search-params.ts').URLSearchParams;
declare const URLSearchParams: typeof import('./web/url-search-params.ts').URLSearchParams;
type Event = import('./web/event.ts').Event;
declare const Event: typeof import('./web/event.ts').Event;
type EventTarget = import('./web/event-target.ts').EventTarget;
declare const EventTarget: typeof import('./web/event-target.ts').EventTarget;
type CloseEvent = import('./web/event-kinds.ts').CloseEvent;
declare const CloseEvent: typeof import('./web/event-kinds.ts').CloseEvent;
type CustomEvent = import('./web/event-kinds.ts').CustomEvent;
declare const CustomEvent: typeof import('./web/event-kinds.ts').CustomEvent;
type ErrorEvent = import('./web/event-kinds.ts').ErrorEvent;
declare const ErrorEvent: typeof import('./web/event-kinds.ts').ErrorEvent;
type MessageEvent = import('./web/event-kinds.ts').MessageEvent;
declare const MessageEvent: typeof import('./web/event-kinds.ts').MessageEvent;
type PromiseRejectionEvent = import('./web/event-kinds.ts').PromiseRejectionEvent;
declare const PromiseRejectionEvent: typeof import('./web/event-kinds.ts').PromiseRejectionEvent;
type DOMException = import('./world/dom-exception.ts').DOMException;
declare const DOMException: typeof import('./world/dom-exception.ts').DOMException;
type Headers = import('./web/headers.ts').Headers;
declare const Headers: typeof import('./web/headers.ts').Headers;
type Request = import('./web/request.ts').Request;
declare const Request: typeof import('./web/request.ts').Request;
type Blob = import('./web/blob.ts').Blob;
declare const Blob: typeof import('./web/blob.ts').Blob;
type File = import('./web/blob.ts').File;
declare const File: typeof import('./web/blob.ts').File;
type FormData = import('./web/form-data.ts').FormData;
declare const FormData: typeof import('./web/form-data.ts').FormData;
type WebSocket = import('./web/web-socket.ts').WebSocket;
declare const WebSocket: typeof import('./web/web-socket.ts').WebSocket;
type Response = import('./web/response.ts').Response;
declare const Response: typeof import('./web/response.ts').Response;

/** V8 has it; the compiler's library does not know it yet. */
interface Uint8ArrayConstructor {
  fromBase64(text: string): Uint8Array<ArrayBuffer>;
}
interface Uint8Array {
  toHex(): string;
  toBase64(options?: {
    readonly alphabet?: 'base64' | 'base64url';
    readonly omitPadding?: boolean;
  }): string;
}

/** As far as our own files use it (build/guest-packages.ts). */
declare module 'isolet-package:readable-stream' {
  import { EventEmitter } from 'events';
  export class Transform extends EventEmitter {
    constructor(options?: object);
    readonly destroyed: boolean;
    push(chunk: Uint8Array): boolean;
    write(chunk: Uint8Array, done?: () => void): boolean;
    destroy(error?: Error): this;
    _transform(chunk: Uint8Array, encoding: string, done: (error?: Error | null) => void): void;
    _flush(done: (error?: Error | null) => void): void;
    _read(size: number): void;
    _destroy(error: Error | null, done: (error?: Error | null) => void): void;
  }
}
