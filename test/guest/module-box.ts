/**
 * One module in a real isolate, with the test as its host: what the module asks is collected, what
 * the test answers is handed in. It keeps the treaty as src/host does, without its limits.
 */
import { build } from 'esbuild';
import ivm from 'isolated-vm';
import { buildPrelude } from '../../build/guest.ts';
import { guestImports } from '../../build/guest-imports.ts';
import {
  BOOT_NAME,
  type GuestBoot,
  type GuestEvent,
  type GuestRequest,
  type HostCall,
  type HostEvent,
  SCRIPT_MARK,
  SEED_BYTES,
} from '../../src/core/guest-protocol.ts';
import { until, within } from '../fakes/within.ts';

const WAIT_MS = 10_000;
const prelude = buildPrelude();

type Batch = {
  readonly requests: readonly GuestRequest[];
  readonly bytes: Uint8Array | undefined;
  readonly hostCalls: readonly HostCall[];
  readonly timerMs: number;
};

type Options = {
  readonly env?: Readonly<Record<string, string>>;
  /** The language the source is in; templates are CommonJS. `built` = the build has made it. */
  readonly form?: 'esm' | 'cjs' | 'built';
};

export type ModuleBox = {
  /** Everything that came out, call by call. */
  readonly batches: Batch[];
  readonly requests: () => GuestRequest[];
  readonly logs: () => string[];
  readonly hostCalls: () => HostCall[];
  /** Rejects with what the module did not catch. */
  post(events: readonly GuestEvent[], bytes?: Uint8Array): Promise<void>;
  hostPost(events: readonly HostEvent[]): Promise<void>;
  /** Waits for a request that fits. */
  request<Type extends GuestRequest['t']>(
    type: Type,
    fits?: (request: Extract<GuestRequest, { t: Type }>) => boolean,
  ): Promise<Extract<GuestRequest, { t: Type }>>;
  /** Waits for a console line that contains the text. */
  log(text: string): Promise<string>;
  /** Runs the timers the guest asked for, once it has asked. */
  tick(): Promise<void>;
  dispose(): void;
};

/** The module's code as the packager makes it. */
async function bundle(source: string, form: 'esm' | 'cjs' = 'esm'): Promise<string> {
  const result = await build({
    stdin: {
      contents: source,
      sourcefile: form === 'cjs' ? 'main.cjs' : 'main.mjs',
      resolveDir: import.meta.dirname,
    },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['main'],
    target: 'es2024',
    charset: 'ascii',
    keepNames: true,
    alias: { ...guestImports },
    logLevel: 'silent',
  });
  return result.outputFiles[0]?.text ?? '';
}

/** Starts the module; rejects with what it throws while loading. */
export async function openBox(source: string, options: Options = {}): Promise<ModuleBox> {
  const isolate = new ivm.Isolate({ memoryLimit: 64 });
  const context = await isolate.createContext();
  const batches: Batch[] = [];
  const parse = <Item>(text: string): Item[] => (text === '' ? [] : JSON.parse(text));

  const outbox = new ivm.Callback(
    (requests: string, bytes: Uint8Array | undefined, hostCalls: string, timerMs: number) => {
      batches.push({ requests: parse(requests), bytes, hostCalls: parse(hostCalls), timerMs });
      if (parse<HostCall>(hostCalls).some((call) => call.t === 'exit')) isolate.dispose();
    },
    { ignored: true },
  );
  await context.eval(await prelude, { filename: 'isolet:prelude' });
  const bootFunction = await context.global.get(BOOT_NAME, { reference: true });
  const boot: GuestBoot = {
    treaty: 1,
    module: 'filter',
    device: 'edge-1',
    env: { IOTEDGE_DEVICEID: 'edge-1', ...options.env },
    arch: 'arm64',
  };
  const door = (await bootFunction.apply(
    undefined,
    [outbox, JSON.stringify(boot), copyOf(new Uint8Array(SEED_BYTES).fill(7))],
    {
      result: { reference: true },
    },
  )) as ivm.Reference<(events: string, bytes: unknown, hostEvents: string) => void>;

  const call = async (
    events: string,
    bytes: Uint8Array | undefined,
    host: string,
  ): Promise<void> => {
    const copy = bytes === undefined ? undefined : copyOf(bytes);
    await within(WAIT_MS, 'the door', door.apply(undefined, [events, copy, host]));
  };

  const box: ModuleBox = {
    batches,
    requests: () => batches.flatMap((batch) => batch.requests),
    hostCalls: () => batches.flatMap((batch) => batch.hostCalls),
    logs: () => box.requests().flatMap((request) => (request.t === 'log' ? [request.text] : [])),
    post: (events, bytes) => call(JSON.stringify(events), bytes, ''),
    hostPost: (events) => call('', undefined, JSON.stringify(events)),
    request: (type, fits = () => true) =>
      until(WAIT_MS, `a ${type} request`, () =>
        box
          .requests()
          .find(
            (request): request is Extract<GuestRequest, { t: typeof type }> =>
              request.t === type && fits(request as Extract<GuestRequest, { t: typeof type }>),
          ),
      ),
    log: (text) =>
      until(WAIT_MS, `the line "${text}"`, () => box.logs().find((line) => line.includes(text))),
    async tick() {
      const timerMs = await until(WAIT_MS, 'a timer', () => {
        const last = batches.at(-1)?.timerMs ?? -1;
        return last >= 0 && last + 1;
      });
      await new Promise((resolve) => setTimeout(resolve, timerMs - 1));
      await box.hostPost([{ t: 'timers' }]);
    },
    dispose() {
      if (!isolate.isDisposed) isolate.dispose();
    },
  };

  const { form } = options;
  const code = form === 'built' ? source : await bundle(source, form);
  const filename = 'file:///filter/index.js';
  try {
    if (code.startsWith(SCRIPT_MARK)) {
      const script = await isolate.compileScript(code, { filename });
      await within(WAIT_MS, 'loading', script.run(context));
      return box;
    }
    const module = await isolate.compileModule(code, { filename });
    await module.instantiate(context, (specifier) => {
      throw new Error(`the bundle still imports ${specifier}`);
    });
    await within(WAIT_MS, 'loading', module.evaluate());
  } catch (error) {
    // What it had asked for before is part of the story.
    throw Object.assign(error as object, { box });
  }
  return box;
}

function copyOf(bytes: Uint8Array): ivm.Copy<ArrayBuffer> {
  const { buffer } = new Uint8Array(bytes);
  return new ivm.ExternalCopy(buffer, { transferOut: true }).copyInto({
    release: true,
    transferIn: true,
  });
}

/** Runs a test with a module and puts the isolate away afterwards. */
export async function withBox(
  source: string,
  use: (box: ModuleBox) => Promise<void>,
  options?: Options,
): Promise<void> {
  const box = await openBox(source, options);
  try {
    await use(box);
  } finally {
    box.dispose();
  }
}

/** What a promise is rejected with; fails when it is not. */
export async function rejectionOf(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected a rejection');
}

let lastId = 0;

/** An input event; the body must be text. */
export function input(
  body: string,
  extra: Partial<Extract<GuestEvent, { t: 'input' }>> = {},
): Extract<GuestEvent, { t: 'input' }> {
  return { t: 'input', id: ++lastId, input: 'input1', p: {}, s: {}, b: body, ...extra };
}
