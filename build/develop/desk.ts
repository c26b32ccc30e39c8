/**
 * One module on a desk: what a device's supervisor does for it, in memory and for one module alone. Messages
 * wait while no version of it runs, and one that was not acknowledged goes to the next version.
 */
import { Fault } from '../../src/core/fault.ts';
import { fieldsText } from '../../src/core/fields-text.ts';
import type { LogLevel } from '../../src/core/guest-protocol.ts';
import type { Json, JsonObject } from '../../src/core/json.ts';
import {
  inputEndpoint,
  type Message,
  messageSize,
  type Properties,
} from '../../src/core/message.ts';
import { noUse } from '../../src/core/module-use.ts';
import type {
  Ending,
  MethodReply,
  ModuleHost,
  ModuleStart,
  TwinDocument,
} from '../../src/core/ports.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { asBytes } from '../../src/lib/text.ts';
import type { Delivery } from '../../src/supervisor/delivery.ts';
import { type LiveModule, startLiveModule } from '../../src/supervisor/live-module.ts';
import { createOwnMetrics } from '../../src/supervisor/own-metrics.ts';
import type { CompiledModule } from '../compile-module.ts';
import { DESK_GROUP } from './desk-host.ts';
import { createDeskBlobs, createDeskKeeper } from './desk-kept.ts';
import { createDeskTwin } from './desk-twin.ts';
import { quietHost } from './quiet-host.ts';

type DeskMessage = {
  readonly input: string;
  readonly body: Json;
  readonly properties: Properties;
};

export type DeskEvents = {
  log(level: LogLevel, text: string): void;
  /** It sent a message; `output` null is the unnamed output. */
  output(output: string | null, body: Json, properties: Properties): void;
  reported(patch: JsonObject): void;
  /** It has acknowledged this message. */
  handled(message: DeskMessage): void;
  /** Its handler failed: the message waits for the next version. */
  failed(message: DeskMessage, reason: string): void;
  /** It ended, and not because we stopped it. */
  ended(ending: Ending): void;
  /** Nothing but us will wake it. */
  quiet(): void;
};

export type Desk = {
  /** Ends what runs, and starts this. Resolves false when it ended before its first turn was over. */
  run(module: CompiledModule): Promise<boolean>;
  running(): boolean;
  input(message: DeskMessage): void;
  /** Messages not acknowledged yet. */
  waiting(): number;
  desire(patch: JsonObject): void;
  /** Undefined when it does not answer, or has no methods. */
  method(name: string, payload: Json): Promise<MethodReply | undefined>;
  twin(): TwinDocument;
  stop(): Promise<void>;
};

type Queued = { readonly message: DeskMessage; readonly delivery: Delivery; failed: boolean };

const DEVICE = 'desk';
const METHOD_MS = 10_000;

export function createDesk(
  host: ModuleHost,
  module: Pick<ModuleStart, 'module' | 'env' | 'grants' | 'limits'>,
  twinAtFirst: Partial<TwinDocument>,
  events: DeskEvents,
): Desk {
  const name = module.module;
  const twin = createDeskTwin(twinAtFirst);
  const keeper = createDeskKeeper();
  const blobs = createDeskBlobs();
  let queue: Queued[] = [];
  let live: LiveModule | undefined;
  let over: Promise<void> = Promise.resolve();
  let delivering = false;
  const watched = quietHost(host, events.quiet);
  let lastSeq = 0;

  async function run({ code, sourceMap }: CompiledModule): Promise<boolean> {
    await stop();
    for (const one of queue) one.failed = false;
    const ended = Promise.withResolvers<void>();
    over = ended.promise;
    return await new Promise((resolve) => {
      const made = startLiveModule(
        {
          ...module,
          code,
          sourceMap,
          device: DEVICE,
          env: envOf(name, module.env),
          group: DESK_GROUP,
        },
        watched,
        services,
        systemClock,
        noUse(),
        {
          started: () => resolve(true),
          listens: () => void deliver(),
          ended(ending) {
            if (live === made) live = undefined;
            ended.resolve();
            if (ending.cause !== 'stopped') events.ended(ending);
            resolve(false);
          },
        },
      );
      live = made;
    });
  }

  async function stop(): Promise<void> {
    const old = live;
    live = undefined;
    await old?.stop();
    await over;
  }

  const services: Parameters<typeof startLiveModule>[2] = {
    accept(message, settled) {
      settled(undefined);
      const { outputName = null } = message.system;
      events.output(outputName, bodyOf(message.body), message.properties);
    },
    readTwin: async () => twin.read(),
    async report(_module, patch) {
      twin.report(patch);
      events.reported(patch);
    },
    invoke(_device, whom) {
      const what = whom === null ? 'no other device' : `no module ${whom}`;
      return Promise.reject(new Fault('ENDPOINT_AWAY', `there is ${what} on the desk`));
    },
    ownMetrics: createOwnMetrics(),
    blobs,
    keep: keeper.carryOut,
    log: (_module, level, text, fields) => events.log(level, text + fieldsText(fields)),
    relief: () => undefined,
  };

  /** Those for one input go in together, as from a device's queue; the order of all is kept. */
  async function deliver(): Promise<void> {
    if (delivering) return;
    delivering = true;
    try {
      for (;;) {
        const open = queue.filter((one) => !one.failed);
        const [first] = open;
        if (first === undefined || live?.listening('inputs') !== true) return;
        const { input } = first.message;
        const end = open.findIndex(({ message }) => message.input !== input);
        const batch = end === -1 ? open : open.slice(0, end);
        const find = (delivery: Delivery): Queued | undefined =>
          queue.find((one) => one.delivery === delivery);
        await live.deliver(
          input,
          batch.map(({ delivery }) => delivery),
          {
            taken() {},
            done(delivery) {
              const one = find(delivery);
              queue = queue.filter((other) => other !== one);
              if (one !== undefined) events.handled(one.message);
            },
            failed: (delivery, reason) => failed(find(delivery), reason),
            refused: (delivery, reason) => failed(find(delivery), reason),
            away() {},
          },
        );
      }
    } catch (cause) {
      // It ended with these open: they are the next version's.
      if (!(cause instanceof Fault)) throw cause;
    } finally {
      delivering = false;
    }
  }

  function failed(one: Queued | undefined, reason: string): void {
    if (one === undefined) return;
    one.failed = true;
    events.failed(one.message, reason);
  }

  return {
    run,
    running: () => live !== undefined,
    input(message) {
      queue.push({ message, delivery: deliveryOf(name, message, ++lastSeq), failed: false });
      void deliver();
    },
    waiting: () => queue.length,
    desire(patch) {
      const told = twin.desire(patch);
      live?.desired(told);
    },
    async method(method, payload) {
      if (live?.listening('methods') !== true) return undefined;
      return await live.invoke({ name: method, payload }, METHOD_MS);
    },
    twin: () => twin.read(),
    stop,
  };
}

/** As the supervisor tells a module (spec/iotedge.md §11.5). */
function envOf(module: string, env: ModuleStart['env']): ModuleStart['env'] {
  return {
    IOTEDGE_AUTHSCHEME: 'sasToken',
    IOTEDGE_DEVICEID: DEVICE,
    IOTEDGE_MODULEID: module,
    IOTEDGE_IOTHUBHOSTNAME: '',
    IOTEDGE_GATEWAYHOSTNAME: 'localhost',
    IOTEDGE_APIVERSION: '2020-07-07',
    ...env,
  };
}

function deliveryOf(
  module: string,
  { input, body, properties }: DeskMessage,
  seq: number,
): Delivery {
  const isText = typeof body === 'string';
  const message: Message = {
    source: '/messages/modules/desk',
    sender: 'desk',
    body: asBytes(isText ? body : JSON.stringify(body)),
    properties,
    system: isText ? {} : { contentType: 'application/json', contentEncoding: 'utf-8' },
  };
  return {
    endpoint: inputEndpoint(module, input),
    priority: 0,
    expiresAtMs: Number.MAX_SAFE_INTEGER,
    seq,
    enqueuedAtMs: 0,
    message,
    size: messageSize(message),
    attempts: 0,
    suspect: false,
    crashes: 0,
    accepted: undefined,
    diverted: false,
    over: false,
  };
}

/** JSON if it is, text if it is that, and otherwise its bytes in base64. */
function bodyOf(body: Uint8Array): Json {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes)) return { base64: bytes.toString('base64') };
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
