/** The port Upstream over IoT Hub: one connection per identity, made and made again by our own loop. */
import { Fault, isOfTheWorld } from '../core/fault.ts';
import type { Message, ModuleName } from '../core/message.ts';
import type {
  Cancel,
  Clock,
  Identities,
  Link,
  LinkSink,
  Log,
  SendOutcome,
  Upstream,
} from '../core/ports.ts';
import { type RetryRange, retryDelayMs } from '../core/retry.ts';
import { type AzureSdk, loadAzureSdk } from './azure-sdk.ts';
import { type HubConnection, openHubConnection } from './hub-connection.ts';

export type IotHubSettings = {
  /** Between attempts to connect. */
  readonly retry: RetryRange;
  /** The same after the hub refused our credentials. */
  readonly refusedRetry: RetryRange;
  readonly connectMs: number;
  /** A message, a twin request or a subscription without an answer for so long ends the connection. */
  readonly requestMs: number;
  /** How long a connection's token is valid; the connection is replaced at 80 % of it. */
  readonly tokenMs: number;
  /** Messages on their way at once, per identity. */
  readonly windowMax: number;
};

const SETTINGS: IotHubSettings = {
  retry: { firstMs: 1_000, mostMs: 60_000 },
  refusedRetry: { firstMs: 10_000, mostMs: 600_000 },
  connectMs: 30_000,
  requestMs: 30_000,
  tokenMs: 24 * 3_600_000,
  windowMax: 50,
};

export type IotHubUpstreamOptions = {
  readonly identities: Identities;
  /** PEM text of a CA to trust besides the system's. */
  readonly ca?: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  readonly settings?: Partial<IotHubSettings>;
};

export function createIotHubUpstream(options: IotHubUpstreamOptions): Upstream {
  const settings = { ...SETTINGS, ...options.settings };
  const links = new Set<Link>();
  let sdk: Promise<AzureSdk> | undefined;

  return {
    open(module, sink) {
      sdk ??= loadAzureSdk();
      const link = openLink(module, sink, { ...options, settings, sdk });
      links.add(link);
      return link;
    },
    async stop() {
      await Promise.all([...links].map((link) => link.close()));
    },
  };
}

type LinkDeps = Omit<IotHubUpstreamOptions, 'settings'> & {
  readonly settings: IotHubSettings;
  readonly sdk: Promise<AzureSdk>;
};

function openLink(module: ModuleName, sink: LinkSink, deps: LinkDeps): Link {
  const { identities, clock, random, log, settings, ca } = deps;
  let connection: HubConnection | undefined;
  let cancel: Cancel = () => {};
  let attempt = 0;
  let closed = false;
  let connecting: Promise<void> = connect();

  async function connect(): Promise<void> {
    // A connection that is lost while it is being opened must not be taken for a good one.
    let lost: Fault | undefined;
    try {
      const sdk = await deps.sdk;
      const credentials = await identities.ensure(module);
      if (closed) return;
      const { tokenMs, requestMs, connectMs } = settings;
      const opened = await openHubConnection(
        { sdk, credentials, ca, clock, tokenMs, requestMs, connectMs },
        {
          desired: (patch) => sink.desired(patch),
          method: (call) => sink.method(call),
          lost(fault) {
            if (connection === undefined) lost = fault;
            else drop(fault);
          },
        },
      );
      if (closed || lost !== undefined) {
        await opened.close();
        if (closed) return;
        throw lost;
      }
      connection = opened;
      attempt = 0;
      // Our token runs out some day: a new connection in time, not the hub's cut.
      cancel = clock.after(settings.tokenMs * 0.8, () => {
        drop(new Fault('UPSTREAM_AWAY', 'the connection is renewed before its token runs out'));
      });
      sink.online();
    } catch (cause) {
      if (!(cause instanceof Fault)) throw cause;
      if (cause.code === 'CREDENTIALS_REFUSED') identities.forget(module);
      if (attempt === 0) sink.offline(cause);
      else log.debug('still no connection to the hub', { module, cause });
      again(cause);
    }
  }

  function again(fault: Fault): void {
    if (closed) return;
    const range = fault.code === 'CREDENTIALS_REFUSED' ? settings.refusedRetry : settings.retry;
    cancel = clock.after(retryDelayMs(attempt++, random(), range), () => {
      connecting = connect();
    });
  }

  /** The connection is of no use any more: close it and make a new one. */
  function drop(fault: Fault): void {
    const old = connection;
    if (old === undefined || closed) return;
    connection = undefined;
    cancel();
    void old.close();
    sink.offline(fault);
    again(fault);
  }

  const away = (): Fault =>
    new Fault('UPSTREAM_AWAY', `module ${module} has no connection to the hub`);

  /** In order, `windowMax` on their way at once; after the first fault of the world nothing more is tried. */
  async function send(messages: readonly Message[]): Promise<readonly SendOutcome[]> {
    const used = connection;
    if (used === undefined) return messages.map(away);
    const outcomes: SendOutcome[] = [];
    let fault: Fault | undefined;
    for (let at = 0; at < messages.length; at += settings.windowMax) {
      const window = messages.slice(at, at + settings.windowMax);
      if (fault !== undefined) {
        outcomes.push(...window.map(() => fault));
        continue;
      }
      const sent = await Promise.all(
        window.map((message) => used.send(message).then(none, (cause: unknown) => cause as Fault)),
      );
      outcomes.push(...sent);
      fault = sent.find(isOfTheWorld);
    }
    return outcomes;
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
      if (closed) return;
      closed = true;
      cancel();
      const old = connection;
      connection = undefined;
      await Promise.all([old?.close(), connecting.catch(() => {})]);
    },
  };
}

function none(): undefined {
  return undefined;
}
