/** One identity's link to IoT Hub: connects, and connects again, until it is closed. */
import type { SecureContext } from 'node:tls';
import { Fault, type FaultCode } from '../core/fault.ts';
import type { ModuleName } from '../core/message.ts';
import type { Clock, Identities, Link, LinkSink, Log } from '../core/ports.ts';
import { retryDelayMs } from '../core/retry.ts';
import type { AzureSdk } from './azure-sdk.ts';
import { type HubConnection, openHubConnection } from './hub-connection.ts';
import type { IotHubSettings } from './iothub-settings.ts';
import { createSendWindow } from './send-window.ts';

export type LinkDeps = {
  readonly identities: Identities;
  /** Whom to trust; undefined = the system's authorities. */
  readonly secureContext: SecureContext | undefined;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly settings: IotHubSettings;
  readonly sdk: Promise<AzureSdk>;
};

export function openIotHubLink(module: ModuleName, sink: LinkSink, deps: LinkDeps): Link {
  const { identities, secureContext, clock, random, log, settings } = deps;
  const closing = new AbortController();
  const { signal } = closing;
  /** Set exactly while the sink believes us online. */
  let connection: HubConnection | undefined;
  /** Why the sink believes us away; undefined while online, and before anything was told. */
  let whyAway: FaultCode | undefined;
  const send = createSendWindow(settings.windowMax, (message, told) => {
    if (connection === undefined) told(away());
    else connection.send(message, told);
  });
  const running = run();

  async function run(): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const { fault, livedMs } = await live();
      if (signal.aborted) return;
      const refused = fault.code === 'CREDENTIALS_REFUSED';
      // Perhaps only what we remember is out of date: the next attempt asks the hub.
      if (refused) identities.forget(module);
      if (livedMs >= settings.steadyMs) failures = 0;
      const range = refused ? settings.refusedRetry : settings.retry;
      await rest(retryDelayMs(failures++, random(), range));
    }
  }

  /** One connection, from the first packet to its end; `livedMs` is 0 when it never was one. */
  async function live(): Promise<{ readonly fault: Fault; readonly livedMs: number }> {
    try {
      connection = await connect();
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
      if (!signal.aborted) tellAway(cause);
      return { fault: cause, livedMs: 0 };
    }
    const opened = connection;
    const startedAt = clock.elapsed();
    whyAway = undefined;
    sink.online();
    const fault = await endOf(opened);
    connection = undefined;
    if (!signal.aborted) tellAway(fault);
    await opened.close();
    return { fault, livedMs: clock.elapsed() - startedAt };
  }

  async function connect(): Promise<HubConnection> {
    const sdk = await deps.sdk;
    // Asking the hub may take long; nobody who closes the link waits for it.
    const credentials = await unlessClosed(identities.ensure(module));
    if (credentials === undefined || signal.aborted) throw away();
    return await openHubConnection({
      sdk,
      credentials,
      secureContext,
      clock,
      settings,
      sink,
      signal,
    });
  }

  /** Waits until the connection is lost, its token runs out soon, or the link is closed. */
  async function endOf(opened: HubConnection): Promise<Fault> {
    const renewal = Promise.withResolvers<Fault>();
    const cancel = clock.after(settings.tokenMs * 0.8, () => {
      const why = 'the connection is replaced by a new one before its token runs out';
      renewal.resolve(new Fault('UPSTREAM_AWAY', why));
    });
    const fault = await unlessClosed(Promise.race([opened.ended, renewal.promise]));
    cancel();
    return fault ?? away();
  }

  /** The sink hears once of each time away, whether it began with a loss or at the start. */
  function tellAway(fault: Fault): void {
    if (whyAway === undefined) sink.offline(fault);
    else if (whyAway === fault.code) log.debug('still no connection to the hub', { module });
    else log.warn('no connection to the hub, for another reason now', { module, cause: fault });
    whyAway = fault.code;
  }

  async function rest(delayMs: number): Promise<void> {
    const over = Promise.withResolvers<void>();
    const cancel = clock.after(delayMs, over.resolve);
    await unlessClosed(over.promise);
    cancel();
  }

  /**
   * What `awaited` gives, or undefined when the link is closed first. A promise keeps all that ever
   * raced against it, so none that lives as long as the link is raced: months offline are many races.
   */
  async function unlessClosed<T>(awaited: Promise<T>): Promise<T | undefined> {
    const closed = Promise.withResolvers<undefined>();
    const stop = (): void => closed.resolve(undefined);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
    try {
      return await Promise.race([awaited, closed.promise]);
    } finally {
      signal.removeEventListener('abort', stop);
    }
  }

  function away(): Fault {
    const what = signal.aborted ? "'s link to the hub is closed" : ' has no connection to the hub';
    return new Fault('UPSTREAM_AWAY', `module ${module}${what}`);
  }

  return {
    send,
    async readTwin() {
      if (connection === undefined) throw away();
      return await connection.readTwin();
    },
    async report(patch) {
      if (connection === undefined) throw away();
      await connection.report(patch);
    },
    async close() {
      closing.abort();
      const limit = Promise.withResolvers<void>();
      const cancel = clock.after(settings.closeMs, limit.resolve);
      await Promise.race([running, limit.promise]);
      cancel();
    },
  };
}
