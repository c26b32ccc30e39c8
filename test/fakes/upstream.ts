/** A cloud in memory that keeps the upstream's contract; the test decides who is online and what fails. */
import { Fault } from '../../src/core/fault.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Message, ModuleName } from '../../src/core/message.ts';
import type {
  Link,
  LinkSink,
  MethodCall,
  MethodReply,
  TwinDocument,
  Upstream,
} from '../../src/core/ports.ts';
import { mergePatch } from '../../src/core/twin.ts';

export type FakeUpstream = Upstream & {
  /** Brings one module's link online, or all of them and those yet to be opened. */
  goOnline(module?: ModuleName): void;
  goOffline(module?: ModuleName): void;
  /** What the hub has got from this module, in order. */
  sent(module: ModuleName): readonly Message[];
  /** A service changes desired properties: the twin takes them, and the module hears of it when online. */
  desired(module: ModuleName, patch: JsonObject): void;
  /** A service calls a method; undefined when nobody answers. */
  invoke(module: ModuleName, call: MethodCall): Promise<MethodReply | undefined>;
  /** The twin as it lies in the hub, with versions. */
  twin(module: ModuleName): TwinDocument;
  /** Every send has this outcome until it is undefined again. */
  failSends(fault: Fault | undefined): void;
  /** Every report is refused with this until it is undefined again. */
  failReports(fault: Fault | undefined): void;
  /** Modules whose links are open. */
  opened(): readonly ModuleName[];
};

type Hub = { readonly sent: Message[]; twin: TwinDocument };
type Open = { readonly sink: LinkSink; online: boolean; closed: boolean };

const AWAY = 'the test has taken the hub away';

export function createFakeUpstream(): FakeUpstream {
  const hubs = new Map<ModuleName, Hub>();
  const links = new Map<ModuleName, Open>();
  let everyoneOnline = false;
  let sendFault: Fault | undefined;
  let reportFault: Fault | undefined;

  function of(module: ModuleName): Hub {
    const hub = hubs.get(module) ?? {
      sent: [],
      twin: { desired: { $version: 1 }, reported: { $version: 1 } },
    };
    hubs.set(module, hub);
    return hub;
  }

  function patch(module: ModuleName, section: keyof TwinDocument, change: JsonObject): void {
    const hub = of(module);
    const $version = (hub.twin[section]['$version'] as number) + 1;
    const merged = mergePatch(hub.twin[section], { ...change, $version }, true) as JsonObject;
    hub.twin = { ...hub.twin, [section]: merged };
  }

  function setOnline(link: Open, online: boolean): void {
    if (link.closed || link.online === online) return;
    link.online = online;
    if (online) link.sink.online();
    else link.sink.offline(new Fault('UPSTREAM_AWAY', AWAY));
  }

  function setAll(online: boolean, module: ModuleName | undefined): void {
    if (module === undefined) everyoneOnline = online;
    for (const [name, link] of links) {
      if (module === undefined || name === module) setOnline(link, online);
    }
  }

  function open(module: ModuleName, sink: LinkSink): Link {
    const link: Open = { sink, online: false, closed: false };
    links.set(module, link);
    queueMicrotask(() => setOnline(link, everyoneOnline));

    /** Like a network: the answer comes later, and only if the link still lives. */
    async function ask<T>(run: () => T): Promise<T> {
      const away = (): never => {
        throw new Fault('UPSTREAM_AWAY', AWAY);
      };
      if (!link.online) away();
      await Promise.resolve();
      return link.online ? run() : away();
    }

    return {
      send(messages) {
        const send = (message: Message): Fault | undefined => {
          if (sendFault === undefined) of(module).sent.push(message);
          return sendFault;
        };
        return ask(() => messages.map(send)).catch((fault: Fault) => messages.map(() => fault));
      },
      readTwin: () => ask(() => structuredClone(of(module).twin)),
      report: (change) =>
        ask(() => {
          if (reportFault !== undefined) throw reportFault;
          patch(module, 'reported', change);
        }),
      async close() {
        link.online = false;
        link.closed = true;
        if (links.get(module) === link) links.delete(module);
      },
    };
  }

  return {
    open,
    async stop() {
      for (const link of links.values()) {
        link.online = false;
        link.closed = true;
      }
      links.clear();
    },
    goOnline: (module) => setAll(true, module),
    goOffline: (module) => setAll(false, module),
    sent: (module) => of(module).sent,
    desired(module, change) {
      patch(module, 'desired', change);
      const link = links.get(module);
      const { $version } = of(module).twin.desired as { $version: number };
      if (link?.online === true) link.sink.desired({ ...change, $version });
    },
    async invoke(module, call) {
      const link = links.get(module);
      return link?.online === true ? link.sink.method(call) : undefined;
    },
    twin: (module) => of(module).twin,
    failSends: (fault) => void (sendFault = fault),
    failReports: (fault) => void (reportFault = fault),
    opened: () => [...links.keys()],
  };
}
