/** Our identities' connections to the cloud, and the one Endpoint they make together: `$upstream`. */
import { type Fault, isOfTheWorld } from '../core/fault.ts';
import { type ModuleName, UPSTREAM } from '../core/message.ts';
import type { Link, Log, MethodCall, MethodReply, Upstream } from '../core/ports.ts';
import type { Delivery } from './delivery.ts';
import type { Endpoint, Receipts } from './pump.ts';
import type { Twins } from './twins.ts';

export interface Links {
  /** Opens the identity's link unless it is open. */
  open(module: ModuleName): void;
  close(module: ModuleName): void;
  online(module: ModuleName): boolean;
  readonly endpoint: Endpoint;
  stop(): Promise<void>;
}

/** How often the hub may cut the connection for what may be one message. */
export type CutLimits = {
  /** From then on the message is delivered alone, to know whether it is the one. */
  readonly aloneAfter: number;
  /** Alone for the last time: then it is a dead letter. */
  readonly most: number;
};

/** A link's back-off spreads ten over minutes: a bad network seldom cuts so often at the same message. */
const CUT_LIMITS: CutLimits = { aloneAfter: 3, most: 10 };

export type LinksDeps = {
  readonly upstream: Upstream;
  readonly twins: Twins;
  readonly log: Log;
  readonly resume: (neighbour: string) => void;
  readonly method: (module: ModuleName, call: MethodCall) => Promise<MethodReply | undefined>;
};

type Open = { readonly link: Link; online: boolean };

export function createLinks(
  { upstream, twins, log, resume, method }: LinksDeps,
  cutLimits: CutLimits = CUT_LIMITS,
): Links {
  const links = new Map<ModuleName, Open>();
  /** How often the connection was lost soon after this one was sent. */
  const cuts = new WeakMap<Delivery, number>();

  function open(module: ModuleName): Open {
    const before = links.get(module);
    if (before !== undefined) return before;
    const link = upstream.open(module, {
      online() {
        log.info('connected to the hub', { module });
        state.online = true;
        twins.online(module, link);
        resume(UPSTREAM);
      },
      offline(fault) {
        log.warn('no connection to the hub', { module, cause: fault });
        state.online = false;
        twins.online(module, undefined);
      },
      desired: (patch) => twins.desired(module, patch),
      method: (call) => method(module, call),
    });
    const state: Open = { link, online: false };
    links.set(module, state);
    return state;
  }

  return {
    open: (module) => void open(module),
    close(module) {
      const state = links.get(module);
      if (state === undefined) return;
      links.delete(module);
      twins.online(module, undefined);
      void state.link.close();
    },
    online: (module) => links.get(module)?.online ?? false,
    endpoint: {
      /** Each sender's messages go up in order on its own connection; senders do not wait for each other. */
      async deliver(batch, receipts) {
        const bySender = Map.groupBy(batch, (delivery) => delivery.message.sender);
        const faults = await Promise.all(
          [...bySender].map(([sender, deliveries]) => sendAll(sender, deliveries, receipts)),
        );
        const fault = faults.find((candidate) => candidate !== undefined);
        if (fault !== undefined) throw fault;
      },
    },
    async stop() {
      await Promise.all([...links.values()].map(({ link }) => link.close()));
      await upstream.stop();
    },
  };

  /** The fault of the world that ended it, if one did. */
  async function sendAll(
    sender: ModuleName,
    deliveries: readonly Delivery[],
    receipts: Receipts,
  ): Promise<Error | undefined> {
    const outcomes = await open(sender).link.send(deliveries.map((delivery) => delivery.message));
    let away: Error | undefined;
    for (const [index, delivery] of deliveries.entries()) {
      const fault = outcomes[index];
      if (fault === undefined) {
        receipts.done(delivery);
      } else if (isOfTheWorld(fault)) {
        // At once: the other senders' answers may take long, and this one may be online again by then.
        if (away === undefined) receipts.away();
        away ??= fault;
        if (fault.code === 'UPSTREAM_CUT') countCut(delivery, receipts);
      } else {
        receipts.refused(delivery, (fault as Fault).message);
      }
    }
    return away;
  }

  /** It keeps its place, and with it the order of all behind it, until it is surely the one. */
  function countCut(delivery: Delivery, receipts: Receipts): void {
    const alone = delivery.suspect; // Its pump sees to that.
    const count = (cuts.get(delivery) ?? 0) + 1;
    cuts.set(delivery, count);
    if (count >= cutLimits.aloneAfter) delivery.suspect = true;
    if (!alone || count < cutLimits.most) return;
    delivery.attempts = count;
    receipts.refused(
      delivery,
      `the connection to the hub was lost ${count} times soon after this message was sent`,
    );
  }
}
