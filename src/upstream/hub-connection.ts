/**
 * One MQTT connection to IoT Hub as one module, over the official transport of azure-iot-device-mqtt,
 * with promises and a time limit on everything. It is used once: when it is lost a new one is made.
 * The SDK's client above the transport is left out on purpose: it retries for four minutes and then
 * never again, and does not retry a first connect at all (spec/iothub.md §9.1).
 */
import { createHmac } from 'node:crypto';
import { EventEmitter } from 'node:events';
import { Fault } from '../core/fault.ts';
import type { JsonObject } from '../core/json.ts';
import type { Message } from '../core/message.ts';
import type {
  Clock,
  MethodCall,
  MethodReply,
  ModuleCredentials,
  TwinDocument,
} from '../core/ports.ts';
import { formatSas, sasTextToSign } from '../core/shared-access-signature.ts';
import type { AzureSdk } from './azure-sdk.ts';
import { toHubMessage } from './hub-message.ts';

export type ConnectionOptions = {
  readonly sdk: AzureSdk;
  readonly credentials: ModuleCredentials;
  /** PEM text of a CA to trust besides the system's. */
  readonly ca: string | undefined;
  readonly clock: Clock;
  readonly tokenMs: number;
  readonly requestMs: number;
  readonly connectMs: number;
};

export interface ConnectionSink {
  desired(patch: JsonObject): void;
  method(call: MethodCall): Promise<MethodReply | undefined>;
  /** It is of no use any more. Called once, not after close(). */
  lost(fault: Fault): void;
}

export interface HubConnection {
  /** Rejects with MESSAGE_TOO_LARGE or UPSTREAM_AWAY. */
  send(message: Message): Promise<void>;
  readTwin(): Promise<TwinDocument>;
  report(patch: JsonObject): Promise<void>;
  close(): Promise<void>;
}

/** What the transport hands over for a method call. */
type MethodMessage = {
  readonly methods: { readonly methodName: string };
  readonly requestId: string;
  readonly body: Buffer | undefined;
};

const CLOSE_MS = 5_000;
/** azure-iot-common's AuthenticationType.Token. */
const TOKEN = 1;

/** Resolves when twin, desired properties and methods are all subscribed: nothing can be missed from here on. */
export async function openHubConnection(
  options: ConnectionOptions,
  sink: ConnectionSink,
): Promise<HubConnection> {
  const { sdk, clock, ca, requestMs, connectMs } = options;
  const transport = new sdk.Mqtt(authentication(options) as never);
  let over = false;

  // The transport emits `method_<name>`; we answer for every name there may be, so we take them all.
  const emit = transport.emit.bind(transport);
  transport.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (typeof event !== 'string' || !event.startsWith('method_')) return emit(event, ...args);
    void answer(args[0] as MethodMessage);
    return true;
  };
  transport.on('twinDesiredPropertiesUpdate', (patch: JsonObject) => {
    if (!over) sink.desired(patch);
  });
  transport.on('error', lose);
  transport.on('disconnect', lose);
  transport.setOptions(ca === undefined ? {} : { ca });

  function lose(cause: unknown): void {
    if (over) return;
    over = true;
    sink.lost(asFault(cause, 'the connection to the hub was lost'));
    void close();
  }

  async function answer(message: MethodMessage): Promise<void> {
    const { requestId, methods, body } = message;
    const payload = JSON.parse(body === undefined || body.length === 0 ? 'null' : body.toString());
    const reply = await sink.method({ name: methods.methodName, payload });
    if (reply === undefined || over) return;
    // Not acknowledged by MQTT; when it is lost the caller's own time-out tells.
    transport.sendMethodResponse(
      { ...reply, requestId, isResponseComplete: true } as never,
      () => {},
    );
  }

  /** A callback of the SDK as a promise that always settles. A request without an answer ends the connection. */
  function ask<T>(
    what: string,
    limitMs: number,
    run: (done: (cause?: unknown, value?: T) => void) => void,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const cancel = clock.after(limitMs, () => {
        const fault = new Fault(
          'TIMED_OUT',
          `the hub did not answer ${what} within ${limitMs / 1000} s`,
        );
        reject(fault);
        lose(fault);
      });
      const done = (cause?: unknown, value?: T): void => {
        cancel();
        if (cause) reject(cause);
        else resolve(value as T);
      };
      try {
        run(done);
      } catch (cause) {
        done(cause);
      }
    });
  }

  async function close(): Promise<void> {
    over = true;
    await new Promise<void>((resolve) => {
      const cancel = clock.after(CLOSE_MS, resolve);
      transport.disconnect(() => {
        cancel();
        resolve();
      });
    });
  }

  try {
    await ask('CONNECT', connectMs, (done) => transport.connect(done));
    await ask('a twin read', requestMs, (done) => transport.getTwin(done));
    await ask('SUBSCRIBE', requestMs, (done) => transport.enableTwinDesiredPropertiesUpdates(done));
    await ask('SUBSCRIBE', requestMs, (done) => transport.enableMethods(done));
  } catch (cause) {
    void close();
    throw asFault(cause, 'the hub cannot be reached');
  }

  return {
    async send(message) {
      const hubMessage = toHubMessage(message, sdk.Message);
      try {
        await ask('a message', requestMs, (done) => transport.sendEvent(hubMessage, done));
      } catch (cause) {
        if ((cause as Error).name === 'MessageTooLargeError') {
          throw new Fault('MESSAGE_TOO_LARGE', 'IoT Hub takes messages up to 256 KB', { cause });
        }
        throw asFault(cause, 'the message did not reach the hub');
      }
    },
    async readTwin() {
      try {
        const twin = await ask<TwinDocument>('a twin read', requestMs, (done) =>
          transport.getTwin(done as never),
        );
        return { desired: twin.desired, reported: twin.reported };
      } catch (cause) {
        throw asFault(cause, 'the twin could not be read');
      }
    },
    async report(patch) {
      try {
        await ask('a twin update', requestMs, (done) =>
          transport.updateTwinReportedProperties(patch, done),
        );
      } catch (cause) {
        throw asFault(cause, 'the twin could not be updated');
      }
    },
    close,
  };
}

/** What the transport asks for credentials: our own token, valid for longer than the connection lives. */
function authentication({ credentials, clock, tokenMs }: ConnectionOptions): EventEmitter {
  const { hostName, deviceId, moduleId, key } = credentials;
  const provider = new EventEmitter();
  return Object.assign(provider, {
    type: TOKEN,
    stop() {},
    getDeviceCredentials(done: (cause: null, value: object) => void) {
      const fields = {
        resource: encodeURIComponent(`${hostName}/devices/${deviceId}/modules/${moduleId}`),
        expiryS: Math.floor((clock.now() + tokenMs) / 1000),
        policy: undefined,
      };
      const signature = createHmac('sha256', Buffer.from(key, 'base64'))
        .update(sasTextToSign(fields))
        .digest('base64');
      const sharedAccessSignature = formatSas(fields, signature);
      done(null, { host: hostName, deviceId, moduleId, sharedAccessSignature });
    },
  });
}

/**
 * The SDK calls every first failure "Not authorized"; only CONNACK's own words after it mean that
 * (spec/iothub.md §1.5).
 */
function asFault(cause: unknown, what: string): Fault {
  if (cause instanceof Fault) return cause;
  const text = cause instanceof Error ? cause.message : 'no reason given';
  const reason = text.replace(/^.*\(Not authorized\): /, '');
  if (/Connection refused: (Not authorized|Bad username)/i.test(reason)) {
    return new Fault('CREDENTIALS_REFUSED', `the hub refused the module's credentials: ${reason}`, {
      cause,
    });
  }
  const refused = /Connection refused: Server unavailable/i.test(reason);
  return new Fault(refused ? 'UPSTREAM_REFUSED' : 'UPSTREAM_AWAY', `${what}: ${reason}`, { cause });
}
