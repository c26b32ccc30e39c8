/** One running module: its requests carried out, its inputs delivered, its methods called. */
import { Fault } from '../core/fault.ts';
import {
  type GuestEvent,
  type GuestRequest,
  type LogLevel,
  TEXT_BYTES_MAX,
} from '../core/guest-protocol.ts';
import type { JsonObject } from '../core/json.ts';
import { type Message, type ModuleName, messageSize } from '../core/message.ts';
import type { ModuleUse } from '../core/module-use.ts';
import type {
  Clock,
  Ending,
  EndingCause,
  MethodCall,
  MethodReply,
  ModuleHost,
  ModuleMetrics,
  ModuleSink,
  ModuleStart,
  TwinDocument,
} from '../core/ports.ts';
import { asBytes, asText } from '../lib/text.ts';
import type { Delivery, Settled } from './delivery.ts';
import { errorName } from './error-name.ts';
import { createHeldRequests } from './held-requests.ts';
import { createInFlight } from './in-flight.ts';
import { createLineLimit } from './line-limit.ts';
import { createLiveKeeping, type KeepingServices } from './live-keeping.ts';
import { createOpenRequests } from './open-requests.ts';
import { createOutputs, received } from './outputs.ts';
import type { Receipts } from './pump.ts';
import { createSettling } from './settling.ts';

/** What a module's requests are answered by. */
export interface ModuleServices extends KeepingServices {
  accept(message: Message, settled: Settled): void;
  readTwin(module: ModuleName): Promise<TwinDocument>;
  report(module: ModuleName, patch: JsonObject): Promise<void>;
  invoke(
    device: string,
    module: string | null,
    call: MethodCall,
    timeouts: { readonly connectMs: number; readonly responseMs: number },
  ): Promise<MethodReply>;
  log(module: ModuleName, level: LogLevel, text: string, fields?: JsonObject): void;
  /** Settles when there is room again; undefined while there is. */
  relief(): Promise<void> | undefined;
}

export type LiveModuleEvents = {
  readonly started: () => void;
  /** It begins to take inputs, desired patches or methods, or says that it is ready. */
  readonly listens: (what: Listening) => void;
  /** It asked for something and is held. */
  readonly waits?: () => void;
  readonly ended: (ending: Ending, used: ModuleMetrics) => void;
};

export type Listening = 'inputs' | 'desired' | 'methods' | 'ready';

export interface LiveModule {
  listening(what: Listening): boolean;
  /** One input's part of an Endpoint. */
  deliver(input: string, batch: readonly Delivery[], receipts: Receipts): Promise<void>;
  desired(patch: JsonObject): void;
  /** Undefined when the module does not answer in time. */
  invoke(call: MethodCall, timeoutMs: number): Promise<MethodReply | undefined>;
  /** How much it has asked for while it was held. */
  held(): number;
  /** It is held no longer: what it asked for is carried out. */
  release(): void;
  /** Resolves when nothing it was given is under way any more, or after this time. */
  settled(what: 'inputs' | 'methods', withinMs: number): Promise<void>;
  stop(): Promise<void>;
}

/** IoT Edge's MessageAckTimeoutSecs. */
const ACK_TIMEOUT_MS = 30_000;

/** Endings a message may have caused. */
const endedByItself: ReadonlySet<EndingCause> = new Set([
  'error',
  'out of memory',
  'out of time',
  'wedged',
  'crashed',
]);

type Waiting = {
  readonly delivery: Delivery;
  readonly receipts: Receipts;
  readonly over: () => void;
};

/**
 * @param counters the module's own, over all its starts.
 * @param isHeld until its release nothing it asks for happens.
 */
export function startLiveModule(
  start: ModuleStart,
  host: ModuleHost,
  services: ModuleServices,
  clock: Clock,
  counters: ModuleUse,
  events: LiveModuleEvents,
  isHeld = false,
): LiveModule {
  const name = start.module;
  const listens = new Set<Listening>();
  const inputs = new Map<number, Waiting>();
  const answers = new Map<number, (reply: MethodReply) => void>();
  const sends = createInFlight();
  const outputs = createOutputs(start.device, name);
  const lines = createLineLimit(start.limits.logLinesPerSecond, clock, (sentence) =>
    services.log(name, 'warn', sentence),
  );
  const open = createOpenRequests(name, start.limits.outstandingRequestsMax ?? Infinity);
  // Who waits for this module and must hear that it is gone.
  const lost = new Set<(ending: Ending) => void>();
  const requests = createHeldRequests(isHeld, carryOut, () => events.waits?.());
  const settling = createSettling(clock);
  let lastId = 0;
  let ended = false;
  // Replies of one turn go in as one batch; most say only that all is well.
  let replies: GuestEvent[] = [];
  let well: number[] = [];

  const sink: ModuleSink = {
    started: events.started,
    requests(list, bodies) {
      for (const [index, request] of list.entries()) requests.take(request, bodies[index]);
      return services.relief();
    },
    ended(ending, used) {
      ended = true;
      keeping.end();
      for (const tell of lost) tell(ending);
      settling.look();
      events.ended(ending, used);
    },
  };
  const keeping = createLiveKeeping(start, services, counters, sends, answer);
  if (!isHeld) keeping.begin();
  const running = host.start(start, sink);

  function carryOut(request: GuestRequest, body: Uint8Array | undefined): void {
    switch (request.t) {
      case 'send':
        send(request, body ?? asBytes(String(request.b)));
        break;
      case 'ack':
        acknowledge(request.ids);
        break;
      case 'nack':
        for (const id of request.ids) fail(id, request.reason);
        break;
      case 'listen':
        listens.add(request.what);
        events.listens(request.what);
        break;
      case 'unlisten':
        listens.delete(request.what);
        break;
      case 'twin':
        answer(request.call, () => services.readTwin(name));
        break;
      case 'report':
        answer(request.call, () => services.report(name, request.patch));
        break;
      case 'invoke':
        answer(
          request.call,
          () =>
            services.invoke(
              request.device,
              request.module,
              { name: request.name, payload: request.payload },
              {
                connectMs: request.connectTimeoutS * 1000,
                responseMs: request.responseTimeoutS * 1000,
              },
            ),
          JSON.stringify(request.payload).length,
        );
        break;
      case 'answer':
        answers.get(request.id)?.({ status: request.status, payload: request.payload });
        answers.delete(request.id);
        break;
      case 'keep':
      case 'blob':
      case 'metrics':
        keeping.carryOut(request);
        break;
      case 'log':
        if (lines.take()) {
          counters.logLines++;
          services.log(name, request.level, request.text, request.fields);
        } else counters.logLinesDropped++;
        break;
    }
  }

  /** True when the module has too many already and was told so. */
  function isTooMany(call: number, callSize: number | undefined): boolean {
    const fault = open.begin(callSize);
    if (fault === undefined) return false;
    counters.requestsRefused++;
    refuse(call, fault);
    return true;
  }

  function send(request: GuestRequest & { t: 'send' }, body: Uint8Array): void {
    const { call, p: properties } = request;
    if (isTooMany(call, undefined)) return;
    const { source, system } = outputs(request.output, request.s);
    const number = sends.begin();
    const message: Message = { source, sender: name, body, properties, system };
    counters.messagesOut++;
    counters.bytesOut += messageSize(message);
    services.accept(message, (fault) => {
      sends.end(number);
      open.end(undefined);
      if (fault === undefined) return allWell(call);
      counters.messagesRefused++;
      refuse(call, fault);
    });
  }

  /** An acknowledgement takes effect after everything the module sent before it is safe. */
  function acknowledge(ids: readonly number[]): void {
    const acknowledged: Waiting[] = [];
    for (const id of ids) {
      const waiting = inputs.get(id);
      if (waiting === undefined) continue;
      inputs.delete(id);
      waiting.receipts.taken(waiting.delivery);
      acknowledged.push(waiting);
    }
    sends.afterAll(() => {
      for (const { receipts, delivery } of acknowledged) receipts.done(delivery);
    });
    for (const { over } of acknowledged) over();
    settling.look();
  }

  function fail(id: number, reason: string): void {
    const waiting = inputs.get(id);
    waiting?.receipts.failed(waiting.delivery, reason);
    settle(id);
  }

  function settle(id: number): void {
    const waiting = inputs.get(id);
    if (waiting === undefined) return;
    inputs.delete(id);
    waiting.over();
    settling.look();
  }

  /** `size`: characters kept until the answer comes. False = too many wait already, and it was told so. */
  function answer(call: number, ask: () => Promise<unknown>, size = 0): boolean {
    if (isTooMany(call, size)) return false;
    ask().then(
      (value) => {
        open.end(size);
        reply({ t: 'reply', call, value: (value ?? null) as never });
      },
      (cause: unknown) => {
        open.end(size);
        if (!(cause instanceof Fault)) throw cause;
        refuse(call, cause);
      },
    );
    return true;
  }

  function refuse(call: number, fault: Fault): void {
    reply({ t: 'reply', call, error: { name: errorName(fault), message: fault.message } });
  }

  /** The answer to a call. */
  function reply(event: GuestEvent): void {
    if (replies.length + well.length === 0) queueMicrotask(postReplies);
    replies.push(event);
  }

  function allWell(call: number): void {
    if (replies.length + well.length === 0) queueMicrotask(postReplies);
    well.push(call);
  }

  function postReplies(): void {
    const batch: GuestEvent[] =
      well.length === 0 ? replies : [{ t: 'replies', calls: well }, ...replies];
    replies = [];
    well = [];
    if (!ended) running.post(batch, []);
  }

  /** How long its limits kept it waiting, ms. */
  function waitedMs(): number {
    const { cpuWaitMs = 0, messageWaitMs = 0 } = host.metrics(name) ?? {};
    return cpuWaitMs + messageWaitMs;
  }

  return {
    listening: (what) => !ended && listens.has(what),
    deliver(input, batch, receipts) {
      if (ended || !listens.has('inputs')) {
        const why = ended ? 'is not running' : 'does not listen to its inputs yet';
        return Promise.reject(new Fault('ENDPOINT_AWAY', `module ${name} ${why}`));
      }
      return new Promise((resolve, reject) => {
        const ids: number[] = [];
        let open = batch.length;
        const finish = (): void => {
          cancel();
          lost.delete(away);
          for (const id of ids) inputs.delete(id);
        };
        const away = (ending: Ending): void => {
          finish();
          const code = endedByItself.has(ending.cause) ? 'ENDPOINT_CRASHED' : 'ENDPOINT_AWAY';
          reject(new Fault(code, `module ${name} ended: ${ending.reason}`));
        };
        lost.add(away);
        let heldMs = waitedMs();
        const overdue = (): void => {
          // It was kept from its work meanwhile: that is no failure of the module's.
          const moreMs = waitedMs() - heldMs;
          heldMs += moreMs;
          if (moreMs > 0) cancel = clock.after(moreMs, overdue);
          else for (const id of ids) fail(id, `not acknowledged within ${ACK_TIMEOUT_MS / 1000} s`);
        };
        let cancel = clock.after(ACK_TIMEOUT_MS, overdue);
        const over = (): void => {
          if (--open > 0) return;
          finish();
          resolve();
        };
        const bodies: (Uint8Array | undefined)[] = [];
        const items = batch.map((delivery): GuestEvent => {
          const { body, properties, system } = delivery.message;
          counters.messagesIn++;
          counters.bytesIn += delivery.size;
          const id = ++lastId;
          ids.push(id);
          inputs.set(id, { delivery, receipts, over });
          const text = body.byteLength > TEXT_BYTES_MAX ? undefined : asText(body);
          bodies.push(text === undefined ? body : undefined);
          const b = text ?? body.byteLength;
          return { t: 'input', id, input, p: properties, s: received(system), b };
        });
        running.post(items, bodies);
      });
    },
    desired(patch) {
      if (!ended && listens.has('desired')) running.post([{ t: 'desired', patch }], []);
    },
    invoke(call, timeoutMs) {
      return new Promise((resolve) => {
        const id = ++lastId;
        const over = (reply: MethodReply | undefined): void => {
          cancel();
          answers.delete(id);
          lost.delete(away);
          resolve(reply);
          settling.look();
        };
        const away = (): void => over(undefined);
        const cancel = clock.after(timeoutMs, away);
        lost.add(away);
        answers.set(id, over);
        running.post([{ t: 'method', id, name: call.name, payload: call.payload }], []);
      });
    },
    held: requests.count,
    release() {
      keeping.begin();
      requests.release();
    },
    settled(what, withinMs) {
      const open: ReadonlyMap<number, unknown> = what === 'inputs' ? inputs : answers;
      return settling.settled(() => open.size > 0 && !ended, withinMs);
    },
    stop: () => running.stop(),
  };
}
