/**
 * ModuleClient as in `azure-iot-device`, over the treaty instead of a connection: opening is
 * instant, and while the cloud is away the runtime keeps what is sent.
 */
import type { JsonObject } from '../../core/json.ts';
import { takeSeam } from '../seam.ts';
import { type Callback, callbackOrPromise, type Done } from './callback.ts';
import { ConnectionString } from './connection-string.ts';
import { ArgumentError, errorOf, NotImplementedError } from './errors.ts';
import { checkName, copyJson } from './json-copy.ts';
import * as link from './link.ts';
import type { Message } from './message.ts';
import {
  Connected,
  Disconnected,
  MessageAbandoned,
  MessageCompleted,
  MessageEnqueued,
  MessageRejected,
  SharedAccessSignatureUpdated,
  TransportConfigured,
} from './results.ts';
import type { RetryPolicy } from './retry-policy.ts';
import { Twin } from './twin.ts';
import { watchListeners } from './watch-listeners.ts';
import { toWire, type WireMessage } from './wire-message.ts';

const seam = takeSeam();
/** Only tokens here; anything but nothing will do. */
type TransportCtor = unknown;

/** spec/iotedge.md §9.1. */
const RESPONSE_TIMEOUT_S = 30;
const CONNECT_TIMEOUT_S = 0;

export type MethodParams = {
  methodName: string;
  payload?: unknown;
  connectTimeoutInSeconds?: number;
  responseTimeoutInSeconds?: number;
};
// oxlint-disable-next-line typescript/no-explicit-any -- any JSON, as the SDK types it
export type MethodResult = { status: number; payload: any };

export class ModuleClient extends seam.EventEmitter {
  #open = false;
  #twin: Twin | undefined;
  readonly #methods = new Map<string, link.MethodHandler>();
  readonly #subscriber: link.Subscriber = {
    inputListeners: () => this.rawListeners('inputMessage'),
    method: (name) => this.#methods.get(name),
    desired: (patch) => this.#twin?._patch(patch as JsonObject),
  };

  constructor(transport?: unknown) {
    super();
    if (!transport) throw new ReferenceError(`transport is '${String(transport)}'`);
    watchListeners(
      this,
      (name) => {
        if (name === 'inputMessage') this.#listen('inputs');
      },
      () => {
        if (this.listenerCount('inputMessage') === 0) link.unlisten('inputs', this.#subscriber);
      },
    );
  }

  /** The environment is always right here, so unlike the SDK's this one cannot fail for lack of it. */
  static fromEnvironment(transportCtor: TransportCtor, done: Callback<ModuleClient>): void;
  static fromEnvironment(transportCtor: TransportCtor): Promise<ModuleClient>;
  static fromEnvironment(
    transportCtor: TransportCtor,
    done?: Callback<ModuleClient>,
  ): Promise<ModuleClient> | void {
    return callbackOrPromise<ModuleClient>(done, (end) => {
      seam.nextTick(() => {
        if (transportCtor) end(null, new ModuleClient(transportCtor));
        else end(new ReferenceError(`transportCtor cannot be '${String(transportCtor)}'`));
      });
    });
  }

  /** The string is read for errors and otherwise ignored: a module has the identity it was started with. */
  static fromConnectionString(text: string, transportCtor: TransportCtor): ModuleClient {
    if (!text) throw new ReferenceError(`connStr is '${text}'`);
    if (!ConnectionString.parse(text)['SharedAccessKey']) {
      throw new NotImplementedError('ModuleClient only supports SAS Token authentication');
    }
    return new ModuleClient(transportCtor);
  }
  static fromSharedAccessSignature(text: string, transportCtor: TransportCtor): ModuleClient {
    if (!text) throw new ReferenceError(`sharedAccessSignature is '${text}'`);
    return new ModuleClient(transportCtor);
  }
  static fromAuthenticationProvider(provider: unknown, transportCtor: TransportCtor): ModuleClient {
    if (!provider) {
      throw new ReferenceError(`authenticationMethod cannot be '${String(provider)}'`);
    }
    return new ModuleClient(transportCtor);
  }

  open(done: Callback<Connected>): void;
  open(): Promise<Connected>;
  open(done?: Callback<Connected>): Promise<Connected> | void {
    return callbackOrPromise<Connected>(done, (end) => {
      this.#connect();
      seam.nextTick(() => end(null, new Connected()));
    });
  }

  /** From now on no events come; they do again after the next `open`. */
  close(done: Callback<Disconnected>): void;
  close(): Promise<Disconnected>;
  close(done?: Callback<Disconnected>): Promise<Disconnected> | void {
    return callbackOrPromise<Disconnected>(done, (end) => {
      this.#open = false;
      for (const what of ['inputs', 'desired', 'methods'] as const) {
        link.unlisten(what, this.#subscriber);
      }
      seam.nextTick(() => end(null, new Disconnected()));
    });
  }

  sendEvent(message: Message, done: Callback<MessageEnqueued>): void;
  sendEvent(message: Message): Promise<MessageEnqueued>;
  sendEvent(message: Message, done?: Callback<MessageEnqueued>): Promise<MessageEnqueued> | void {
    return callbackOrPromise<MessageEnqueued>(done, (end) => this.#send(null, [message], end));
  }
  sendEventBatch(messages: readonly Message[], done: Callback<MessageEnqueued>): void;
  sendEventBatch(messages: readonly Message[]): Promise<MessageEnqueued>;
  sendEventBatch(
    messages: readonly Message[],
    done?: Callback<MessageEnqueued>,
  ): Promise<MessageEnqueued> | void {
    return callbackOrPromise<MessageEnqueued>(done, (end) => this.#send(null, messages, end));
  }
  sendOutputEvent(output: string, message: Message, done: Callback<MessageEnqueued>): void;
  sendOutputEvent(output: string, message: Message): Promise<MessageEnqueued>;
  sendOutputEvent(
    output: string,
    message: Message,
    done?: Callback<MessageEnqueued>,
  ): Promise<MessageEnqueued> | void {
    return callbackOrPromise<MessageEnqueued>(done, (end) =>
      this.#send(checkName(output, 'output name'), [message], end),
    );
  }
  sendOutputEventBatch(
    output: string,
    messages: readonly Message[],
    done: Callback<MessageEnqueued>,
  ): void;
  sendOutputEventBatch(output: string, messages: readonly Message[]): Promise<MessageEnqueued>;
  sendOutputEventBatch(
    output: string,
    messages: readonly Message[],
    done?: Callback<MessageEnqueued>,
  ): Promise<MessageEnqueued> | void {
    return callbackOrPromise<MessageEnqueued>(done, (end) =>
      this.#send(checkName(output, 'output name'), messages, end),
    );
  }

  /** Acknowledges a received message now. Without it that happens when its handlers are through. */
  complete(message: Message, done: Callback<MessageCompleted>): void;
  complete(message: Message): Promise<MessageCompleted>;
  complete(message: Message, done?: Callback<MessageCompleted>): Promise<MessageCompleted> | void {
    return settleWith(message, done, new MessageCompleted(), true);
  }
  /** The message cannot be used and must not come again. */
  reject(message: Message, done: Callback<MessageRejected>): void;
  reject(message: Message): Promise<MessageRejected>;
  reject(message: Message, done?: Callback<MessageRejected>): Promise<MessageRejected> | void {
    return settleWith(message, done, new MessageRejected(), true);
  }
  /** The message shall be delivered again. */
  abandon(message: Message, done: Callback<MessageAbandoned>): void;
  abandon(message: Message): Promise<MessageAbandoned>;
  abandon(message: Message, done?: Callback<MessageAbandoned>): Promise<MessageAbandoned> | void {
    return settleWith(message, done, new MessageAbandoned(), false);
  }

  /** Always the same Twin, read anew. */
  getTwin(done: Callback<Twin>): void;
  getTwin(): Promise<Twin>;
  getTwin(done?: Callback<Twin>): Promise<Twin> | void {
    const twin = (this.#twin ??= new Twin(() => this.#listen('desired')));
    // Listening comes first, so that no patch falls between the read and the listener.
    this.#listen('desired');
    return typeof done === 'function' ? twin.get(done) : twin.get();
  }

  onMethod(name: string, handler: link.MethodHandler): void {
    if (!name) throw new ReferenceError(`methodName cannot be '${name}'`);
    if (typeof name !== 'string') {
      throw new TypeError(`methodName's type is '${typeof name}'. A string was expected.`);
    }
    if (!handler) throw new ReferenceError(`callback cannot be '${String(handler)}'`);
    if (typeof handler !== 'function') {
      throw new TypeError(
        `callback's type is '${typeof handler}'. A function reference was expected.`,
      );
    }
    if (this.#methods.has(name)) {
      throw new Error('A handler for this method has already been registered with the client.');
    }
    this.#methods.set(name, handler);
    this.#listen('methods');
  }

  invokeMethod(deviceId: string, params: MethodParams, done: Callback<MethodResult>): void;
  invokeMethod(
    deviceId: string,
    moduleId: string,
    params: MethodParams,
    done: Callback<MethodResult>,
  ): void;
  invokeMethod(deviceId: string, params: MethodParams): Promise<MethodResult>;
  invokeMethod(deviceId: string, moduleId: string, params: MethodParams): Promise<MethodResult>;
  invokeMethod(
    deviceId: string,
    moduleIdOrParams: string | MethodParams,
    paramsOrDone?: MethodParams | Callback<MethodResult>,
    done?: Callback<MethodResult>,
  ): Promise<MethodResult> | void {
    const callback = typeof paramsOrDone === 'function' ? paramsOrDone : done;
    const at = new Error();
    return callbackOrPromise<MethodResult>(callback, (end) => {
      if (!deviceId) throw new ReferenceError(`deviceId cannot be '${deviceId}'`);
      if (!moduleIdOrParams) {
        throw new ReferenceError(`The second parameter cannot be '${String(moduleIdOrParams)}'`);
      }
      const isModule = typeof moduleIdOrParams === 'string';
      const params: unknown = isModule ? paramsOrDone : moduleIdOrParams;
      if (typeof params !== 'object' || params === null) {
        throw new ReferenceError(`methodParams cannot be '${String(params)}'`);
      }
      const call = params as MethodParams;
      if (!call.methodName) {
        throw new ArgumentError(
          `the name property of the methodParams argument cannot be '${call.methodName}'`,
        );
      }
      seam.call(
        {
          t: 'invoke',
          device: checkName(deviceId, 'device id'),
          module: isModule ? checkName(moduleIdOrParams, 'module id') : null,
          name: checkName(call.methodName, 'method name'),
          payload: copyJson(call.payload, 'payload of the method call'),
          responseTimeoutS: seconds(call.responseTimeoutInSeconds, RESPONSE_TIMEOUT_S),
          connectTimeoutS: seconds(call.connectTimeoutInSeconds, CONNECT_TIMEOUT_S),
        },
        undefined,
        (error, value) => {
          if (error === undefined) end(null, value as MethodResult);
          else end(errorOf(error, at));
        },
      );
    });
  }

  /** Options are about connections; there is none here, so they are taken and dropped. */
  setOptions(options: object, done: Callback<TransportConfigured>): void;
  setOptions(options: object): Promise<TransportConfigured>;
  setOptions(
    options: object,
    done?: Callback<TransportConfigured>,
  ): Promise<TransportConfigured> | void {
    return callbackOrPromise<TransportConfigured>(done, (end) => {
      if (!options) throw new ReferenceError('options cannot be falsy.');
      seam.nextTick(() => end(null, new TransportConfigured()));
    });
  }
  setTransportOptions(options: object, done: Callback<TransportConfigured>): void;
  setTransportOptions(options: object): Promise<TransportConfigured>;
  setTransportOptions(
    options: object,
    done?: Callback<TransportConfigured>,
  ): Promise<TransportConfigured> | void {
    return done === undefined ? this.setOptions(options) : this.setOptions(options, done);
  }
  /** Checked and dropped: the runtime does the retrying. */
  setRetryPolicy(policy: RetryPolicy): void {
    if (!policy) throw new ReferenceError(`'policy' cannot be '${String(policy)}'`);
    if (typeof policy.shouldRetry !== 'function' || typeof policy.nextRetryTimeout !== 'function') {
      throw new ArgumentError(
        'A policy object must have a maxTimeout property that is a number and a nextRetryTimeout method.',
      );
    }
  }
  updateSharedAccessSignature(text: string, done?: Callback<SharedAccessSignatureUpdated>): void {
    if (!text) throw new ReferenceError('sharedAccessSignature is falsy');
    seam.nextTick(() => done?.(null, new SharedAccessSignatureUpdated(false)));
  }

  /** Every operation connects by itself, as in the SDK. */
  #connect(): void {
    if (this.#open) return;
    this.#open = true;
    if (this.listenerCount('inputMessage') > 0) link.listen('inputs', this.#subscriber);
    if (this.#twin !== undefined) link.listen('desired', this.#subscriber);
    if (this.#methods.size > 0) link.listen('methods', this.#subscriber);
    seam.nextTick(() => void this.emit('connect'));
  }

  #listen(what: 'inputs' | 'desired' | 'methods'): void {
    this.#connect();
    link.listen(what, this.#subscriber);
  }

  /** Ends when all are accepted; with the first error, if any is not. */
  #send(output: string | null, messages: readonly Message[], end: Done<MessageEnqueued>): void {
    this.#connect();
    let wires: WireMessage[];
    try {
      wires = messages.map(toWire);
    } catch (error) {
      seam.nextTick(() => end(error as Error));
      return;
    }
    let left = wires.length;
    let failed: Error | null = null;
    if (left === 0) seam.nextTick(() => end(null, new MessageEnqueued()));
    for (const { p, s, body } of wires) {
      seam.call({ t: 'send', output, p, s }, body, (error) => {
        if (error !== undefined) failed ??= errorOf(error);
        if (--left > 0) return;
        if (failed === null) end(null, new MessageEnqueued());
        else end(failed);
      });
    }
  }
}

function seconds(value: unknown, otherwise: number): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : otherwise;
}

function settleWith<Result>(
  message: Message,
  done: Callback<Result> | undefined,
  result: Result,
  processed: boolean,
): Promise<Result> {
  return callbackOrPromise<Result>(done, (end) => {
    if (!message) throw new ReferenceError(`message is '${String(message)}'`);
    link.settle(message, processed, 'The module abandoned the message.');
    seam.nextTick(() => end(null, result));
  });
}
