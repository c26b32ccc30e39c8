/** A stock module as it ships: bundled, unpacked, in an isolate of a real host; the test is its hub. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleModule } from '../../build/bundle.ts';
import { buildPrelude } from '../../build/guest.ts';
import { unpackBundle } from '../../src/artifacts/bundle-archive.ts';
import type { GuestEvent, GuestRequest } from '../../src/core/guest-protocol.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { type Bind, type ModuleHost, noGrants } from '../../src/core/ports.ts';
import { until, within } from '../fakes/within.ts';
import { createTestHost } from '../host/real-host.ts';

const LIMIT_MS = 20_000;
const root = join(import.meta.dirname, '..', '..');
const prelude = buildPrelude();

type Sent = Omit<Extract<GuestRequest, { t: 'send' }>, 't' | 'call'>;

export type StockModule = {
  readonly sent: readonly Sent[];
  readonly reported: readonly JsonObject[];
  readonly logs: readonly string[];
  readonly acked: readonly number[];
  readonly answers: readonly Extract<GuestRequest, { t: 'answer' }>[];
  post(...events: GuestEvent[]): void;
  /** Waits until `check` holds. */
  until(what: string, check: () => boolean): Promise<void>;
};

type Setting = {
  readonly env?: Readonly<Record<string, string>>;
  readonly desired?: JsonObject;
  readonly binds?: readonly Bind[];
};

/** Runs `use` with the module; fails when the module ends meanwhile. */
export async function withStockModule(
  name: string,
  setting: Setting,
  use: (module: StockModule) => Promise<void>,
): Promise<void> {
  const outDir = mkdtempSync(join(tmpdir(), 'isolet-stock-'));
  const host = createTestHost({}, await prelude);
  try {
    const { file } = await bundleModule(join(root, 'modules', name), { outDir });
    const bundle = await unpackBundle(readFileSync(file));
    await use(start(host, name, bundle, setting));
  } finally {
    await within(LIMIT_MS, 'the host stops', host.stop());
    rmSync(outDir, { recursive: true });
  }
}

function start(
  host: ModuleHost,
  name: string,
  bundle: { readonly code: string; readonly sourceMap: string },
  { env = {}, desired = {}, binds = [] }: Setting,
): StockModule {
  const sent: Sent[] = [];
  const reported: JsonObject[] = [];
  const logs: string[] = [];
  const acked: number[] = [];
  const answers: Extract<GuestRequest, { t: 'answer' }>[] = [];
  const endings: string[] = [];
  const reply = (call: number, value: JsonObject | null): void =>
    running.post([{ t: 'reply', call, value }], [undefined]);

  function answer(request: GuestRequest): void {
    switch (request.t) {
      case 'send': {
        const { output, p, s, b } = request;
        sent.push({ output, p, s, b });
        reply(request.call, null);
        break;
      }
      case 'twin':
        reply(request.call, {
          desired: { ...desired, $version: 1 },
          reported: { $version: 1 },
        });
        break;
      case 'report':
        reported.push(request.patch);
        reply(request.call, null);
        break;
      case 'ack':
        acked.push(...request.ids);
        break;
      case 'answer':
        answers.push(request);
        break;
      case 'log':
        logs.push(request.text);
        break;
      case 'nack':
      case 'listen':
      case 'unlisten':
      case 'invoke':
      case 'keep':
      case 'blob':
      case 'metrics':
    }
  }

  const running = host.start(
    {
      module: name,
      code: bundle.code,
      sourceMap: bundle.sourceMap,
      device: 'board',
      env,
      grants: { ...noGrants, binds },
      limits: { heapMb: 32, startMs: 5_000, turnMs: 2_000 },
      group: 'shared',
    },
    {
      started: () => {},
      requests(requests) {
        requests.forEach(answer);
        return undefined;
      },
      ended: ({ reason }) => void endings.push(reason),
    },
  );
  return {
    sent,
    reported,
    logs,
    acked,
    answers,
    post: (...events) =>
      running.post(
        events,
        events.map(() => undefined),
      ),
    until: (what, check) =>
      until(LIMIT_MS, what, () => {
        if (endings.length > 0) throw new Error(`${name} ended: ${endings.join('; ')}`);
        return check();
      }).then(() => {}),
  };
}
