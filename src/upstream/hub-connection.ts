/**
 * One MQTT connection to IoT Hub as one module, over the official transport of azure-iot-device-mqtt,
 * with promises and a time limit on everything. It is used once: when it is lost a new one is made.
 * The SDK's client above the transport is left out on purpose: it retries for four minutes and then
 * never again, and does not retry a first connect at all (spec/iothub.md §9.1).
 */
import type { SecureContext } from 'node:tls';
import { Fault } from '../core/fault.ts';
import type { JsonObject } from '../core/json.ts';
import type { Clock, LinkSink, ModuleCredentials, TwinDocument } from '../core/ports.ts';
import type { AzureSdk } from './azure-sdk.ts';
import { asFault, twinFault } from './hub-fault.ts';
import { toHubMessage } from './hub-message.ts';
import type { IotHubSettings } from './iothub-settings.ts';
import { createMethodAnswers } from './method-answers.ts';
import { createOpenSends } from './open-sends.ts';
import type { SendOne } from './send-window.ts';
import { createTokenProvider } from './token-provider.ts';
import { openTransportSeam } from './transport-seam.ts';

export type ConnectionOptions = {
  readonly sdk: AzureSdk;
  readonly credentials: ModuleCredentials;
  /** Whom to trust, one for all connections: each of its own costs half a megabyte. Undefined = the system's. */
  readonly secureContext: SecureContext | undefined;
  readonly clock: Clock;
  readonly settings: IotHubSettings;
  readonly sink: Pick<LinkSink, 'desired' | 'method'>;
  /** Gives up at once. */
  readonly signal: AbortSignal;
};

export interface HubConnection {
  /** Why it is of no use any more; stays open when close() was called before. */
  readonly ended: Promise<Fault>;
  /** Tells or throws MESSAGE_TOO_LARGE, UPSTREAM_AWAY, or UPSTREAM_CUT when it may be this message's doing. */
  readonly send: SendOne;
  /** Rejects with UPSTREAM_AWAY, UPSTREAM_REFUSED or TIMED_OUT. */
  readTwin(): Promise<TwinDocument>;
  /** Rejects like readTwin, or with TWIN_INVALID. */
  report(patch: JsonObject): Promise<void>;
  /** In good order, what is on its way first; cut when that takes too long. */
  close(): Promise<void>;
}

/** How the SDK calls back. */
type Done<T> = (cause?: unknown, value?: T) => void;

/** Resolves when desired properties and methods are subscribed: nothing can be missed from here on. */
export async function openHubConnection(options: ConnectionOptions): Promise<HubConnection> {
  const { sdk, clock, credentials, secureContext, settings, sink, signal } = options;
  const provider = createTokenProvider(credentials, clock.now() + settings.tokenMs);
  const transport = new sdk.Mqtt(provider);
  const ended = Promise.withResolvers<Fault>();
  const asked = new Set<(fault: Fault) => void>();
  let over = false;
  /** The other side, or the network, ended it: not we. */
  let wasLost = false;
  let whenIdle = (): void => {};
  const sends = createOpenSends(
    clock,
    settings.sendMs,
    () => endLate('a message', settings.sendMs),
    idle,
  );

  const methods = createMethodAnswers(sink, settings.methodsMax, (reply) => {
    // Not acknowledged by MQTT; when it is lost the caller's own time-out tells.
    if (!over) transport.sendMethodResponse(reply as never, () => {});
  });
  const seam = openTransportSeam(
    transport,
    secureContext,
    (call) => {
      if (!over) methods.take(call);
    },
    (cause) => end(asFault(cause, 'the hub sent what the SDK cannot read')),
  );
  transport.on('twinDesiredPropertiesUpdate', (patch: JsonObject) => {
    // In a turn of its own: what goes wrong in there is not the connection's fault.
    if (!over) queueMicrotask(() => sink.desired(patch));
  });
  const lost = (cause: unknown): void => {
    wasLost ||= !over;
    end(asFault(cause, 'the connection to the hub was lost'));
  };
  transport.on('error', lost);
  transport.on('disconnect', lost);
  const abort = (): void => end(new Fault('UPSTREAM_AWAY', 'the link is being closed'));
  signal.addEventListener('abort', abort);

  function end(fault: Fault): void {
    signal.removeEventListener('abort', abort);
    if (over) return;
    over = true;
    for (const fail of asked) fail(fault);
    sends.failAll(fault);
    ended.resolve(fault);
    seam.cut();
  }

  function endLate(what: string, limitMs: number): void {
    end(new Fault('TIMED_OUT', `the hub did not answer ${what} within ${limitMs / 1000} s`));
  }

  function idle(): void {
    if (asked.size + sends.size === 0) whenIdle();
  }

  /** A callback of the SDK as a promise that always settles; one that never calls back ends the connection. */
  function ask<T>(what: string, limitMs: number, run: (done: Done<T>) => void): Promise<T> {
    if (over) return Promise.reject(new Fault('UPSTREAM_AWAY', 'the connection is at its end'));
    return new Promise<T>((resolve, reject) => {
      const settle = (act: () => void): void => {
        cancel();
        asked.delete(fail);
        act();
        idle();
      };
      const fail = (fault: Fault): void => settle(() => reject(fault));
      const cancel = clock.after(limitMs, () => endLate(what, limitMs));
      asked.add(fail);
      const done: Done<T> = (cause, value) =>
        settle(() => (cause ? reject(cause) : resolve(value as T)));
      try {
        run(done);
      } catch (cause) {
        done(cause);
      }
    });
  }

  async function open(): Promise<void> {
    await ask('CONNECT', settings.connectMs, (done) =>
      transport.connect((cause, value) => {
        // It may come through long after we gave up: nobody would ever close it.
        if (over) seam.cut();
        done(cause, value);
      }),
    );
    await Promise.all([
      ask('SUBSCRIBE', settings.connectMs, (done) =>
        transport.enableTwinDesiredPropertiesUpdates(done),
      ),
      ask('SUBSCRIBE', settings.connectMs, (done) => transport.enableMethods(done)),
    ]);
  }

  /** The answer to a twin request. The status decides: the SDK takes a refusal without a body for success. */
  function askTwin<T>(what: string, run: (done: Done<T>) => void): Promise<T> {
    return ask<T>(what, settings.twinMs, (done) =>
      run((cause, value) => {
        const words = cause instanceof Error ? cause.message : 'no reason given';
        done(twinFault(seam.twinStatus(), what, words) ?? cause, value);
      }),
    ).catch((cause: unknown) => {
      throw asFault(cause, `${what} did not reach the hub`);
    });
  }

  function sendFault(cause: unknown, sentAtMs: number): Fault {
    if ((cause as Error).name === 'MessageTooLargeError') {
      return new Fault('MESSAGE_TOO_LARGE', 'IoT Hub takes messages up to 256 KB', { cause });
    }
    const fault = asFault(cause, 'the message did not reach the hub');
    const soon = clock.elapsed() - sentAtMs < settings.blameMs;
    const code = wasLost && soon ? 'UPSTREAM_CUT' : 'UPSTREAM_AWAY';
    return new Fault(code, fault.message, { cause: fault });
  }

  try {
    await open();
    // From here on the end is asked for by close(), in good order.
    signal.removeEventListener('abort', abort);
  } catch (cause) {
    const fault = asFault(cause, `the hub ${credentials.hostName} cannot be reached`);
    end(fault);
    throw fault;
  }

  return {
    ended: ended.promise,
    send(message, told) {
      if (over) return told(new Fault('UPSTREAM_AWAY', 'the connection is at its end'));
      const hubMessage = toHubMessage(message, sdk.Message);
      const answer = sends.add((cause, sentAtMs) => {
        if (!cause) told(undefined);
        // In a turn of its own: why the connection ended may be known a little later than that it did.
        else queueMicrotask(() => told(sendFault(cause, sentAtMs)));
      });
      transport.sendEvent(hubMessage, answer);
    },
    async readTwin() {
      const twin = await askTwin<TwinDocument>('a twin read', (done) => transport.getTwin(done));
      return { desired: twin.desired, reported: twin.reported };
    },
    report: (patch) =>
      askTwin<void>('a twin update', (done) => transport.updateTwinReportedProperties(patch, done)),
    async close() {
      if (over) return;
      over = true;
      const limit = Promise.withResolvers<void>();
      const cancel = clock.after(settings.closeMs, limit.resolve);
      const answered = new Promise<void>((resolve) => {
        whenIdle = resolve;
        idle();
      });
      await Promise.race([answered, limit.promise]);
      if (asked.size + sends.size === 0) {
        // With something on its way the SDK would wait for it, however long.
        const left = new Promise<void>((resolve) => transport.disconnect(() => resolve()));
        await Promise.race([left, limit.promise]);
      }
      cancel();
      const closed = new Fault('UPSTREAM_AWAY', 'the connection was closed');
      for (const fail of asked) fail(closed);
      sends.failAll(closed);
      seam.cut();
    },
  };
}
