/**
 * The power fails before and after every step of an update, and every commit of what the agent keeps: all of them,
 * no sample. Real store, real bundles on disk; modules are functions. After each cut the device
 * starts without a network and runs the old or the new version; then it hears of the hub and is where it should be.
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { createBundles } from '../../src/artifacts/bundles.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Step } from '../../src/core/plan.ts';
import type { StoreWrite } from '../../src/core/ports.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { openSqliteStore } from '../../src/store/sqlite-store.ts';
import { startSupervisor } from '../../src/supervisor/supervisor.ts';
import { bundleSource, deployment, spec } from '../e2e/device.ts';
import { createFakeLog } from '../fakes/log.ts';
import { createFakeModuleHost, type FakeProgram } from '../fakes/module-host.ts';
import { createPower, type Power } from '../fakes/power.ts';
import { createFakeUpstream, type FakeUpstream } from '../fakes/upstream.ts';
import { until, within } from '../fakes/within.ts';

const folder = mkdtempSync(join(tmpdir(), 'isolet-cuts-'));
const STORE_MAIN = join(import.meta.dirname, '../../src/store/worker.ts');
const WAIT_MS = 20_000;

/** Image references. */
const image = { counter: '', one: '', two: '', bad: '', leaving: '', coming: '' };

export async function bundleAll(): Promise<void> {
  for (const name of Object.keys(image) as (keyof typeof image)[]) {
    image[name] = await bundleSource(name, `console.log('this is ${name}')`);
  }
}

export function removeAll(): void {
  rmSync(folder, { recursive: true });
}

/** Sends a number every few ms; `told` are those it was told are safe. */
const counter =
  (power: Power, told: Set<string>, over: () => boolean): FakeProgram =>
  (module) => {
    let call = 0;
    const life = String(Math.random());
    module.onEvents((events) => {
      for (const event of events) {
        if (event.t === 'replies') for (const one of event.calls) told.add(`${life}/${one}`);
        if (event.t === 'reply' && !('error' in event)) told.add(`${life}/${event.call}`);
      }
    });
    const timer = setInterval(() => {
      if (power.isCut() || over()) clearInterval(timer);
      else {
        const b = JSON.stringify(`${life}/${++call}`);
        module.request([{ t: 'send', call, output: 'out', p: {}, s: {}, b }]);
      }
    }, 3);
  };

/** Hands on what it gets. */
const pipe: FakeProgram = (module) => {
  if (module.start.code.includes('this is bad')) throw new Error('it broke at load');
  let call = 0;
  module.onEvents((events) => {
    for (const event of events) {
      if (event.t !== 'input') continue;
      module.request([
        { t: 'send', call: ++call, output: 'up', p: {}, s: {}, b: event.b },
        { t: 'ack', ids: [event.id] },
      ]);
    }
  });
  module.request([{ t: 'listen', what: 'inputs' }]);
};

type Life = Awaited<ReturnType<typeof begin>>;

/** One life of the device, until it is closed or its power is cut. */
async function begin(dataDir: string, power: Power, upstream: FakeUpstream, told: Set<string>) {
  const log = createFakeLog();
  const clock = power.clock(systemClock);
  let over = false;
  const host = createFakeModuleHost({
    counter: counter(power, told, () => over),
    pipe,
    leaving: () => {},
    coming: () => {},
  });
  const store = await openSqliteStore({ dataDir, workerMain: STORE_MAIN, log });
  const bundles = createBundles({ dir: join(dataDir, 'bundles'), log, clock: systemClock });
  const supervisor = await startSupervisor({
    store: power.store(store, agentsOwn),
    host: power.on(host),
    upstream: power.on(upstream),
    bundles: power.on(bundles),
    clock,
    random: Math.random,
    log,
    device: { id: 'edge', hub: 'hub', version: '0', architecture: 'arm64', pid: 1 },
    moduleLimits: { heapMb: 32, startMs: 1_000, turnMs: 500 },
    trial: { periodMs: 100, failuresMax: 1 },
    onStep: (step, when) => power.point(`${when} the step ${nameOf(step)}`),
  });
  const module = (name: string) => supervisor.status.modules().find((one) => one.name === name);
  const runs = (name: string): boolean => module(name)?.status === 'running';
  return {
    module,
    runs,
    bundles,
    stopCounting() {
      over = true;
    },
    async close() {
      over = true;
      if (!power.isCut()) await within(WAIT_MS, 'the device stops', supervisor.stop());
      upstream.goOffline();
      await host.stop();
      await store.close();
    },
  };
}

function nameOf(step: Step): string {
  if (step.kind === 'fetch') return `fetch for ${step.module}`;
  return `${step.kind} ${'spec' in step ? step.spec.name : step.module}`;
}

/** Commits of the agent; those of messages come when they like. */
function agentsOwn(write: StoreWrite): string | undefined {
  if (write.kind === 'document' || write.kind === 'statistics') {
    const name = write.kind === 'document' ? write.name : `statistics of ${write.module}`;
    return name === 'time' || name === 'statistics of counter' ? undefined : name;
  }
  return write.kind === 'twin' && write.module === '$edgeAgent' ? 'its twin' : undefined;
}

const routes: JsonObject = {
  schemaVersion: '1.1',
  routes: {
    in: 'FROM /messages/modules/counter/* INTO BrokeredEndpoint("/modules/pipe/inputs/in")',
    up: 'FROM /messages/modules/pipe/* INTO $upstream',
  },
};

function hub(change: JsonObject): FakeUpstream {
  const upstream = createFakeUpstream();
  const modules = {
    counter: spec(image.counter),
    pipe: spec(image.one, change),
    leaving: spec(image.leaving),
  };
  upstream.desired('$edgeHub', routes);
  upstream.desired('$edgeAgent', deployment(modules));
  return upstream;
}

const before = (life: Life): boolean => ['counter', 'pipe', 'leaving'].every(life.runs);

type Case = { readonly to: 'two' | 'bad'; readonly order: 'start-first' | 'stop-first' };

function settings({ order }: Case, of: string): JsonObject {
  const createOptions = JSON.stringify({ Labels: { 'isolet.update_order': order } });
  return { settings: { image: of, createOptions } };
}

/** What the hub asks for, and the same as the device should end with. */
function update(upstream: FakeUpstream, one: Case): void {
  upstream.desired('$edgeAgent', {
    modules: {
      pipe: { ...settings(one, image[one.to]), version: '2' },
      leaving: null,
      coming: spec(image.coming),
    },
  });
}

function isThere(life: Life, { to }: Case): boolean {
  const pipeIs = life.module('pipe')?.image === (to === 'bad' ? image.one : image.two);
  return pipeIs && ['counter', 'pipe', 'coming'].every(life.runs) && !life.module('leaving');
}

type Outcome = { readonly isCut: boolean; readonly points: readonly string[] };

async function cutAt(point: string, one: Case, base: string): Promise<Outcome> {
  const dataDir = mkdtempSync(join(folder, 'device-'));
  cpSync(base, dataDir, { recursive: true });
  const upstream = hub(settings(one, image.one));
  const told = new Set<string>();
  const power = createPower();
  upstream.goOnline();
  const first = await begin(dataDir, power, upstream, told);
  await until(WAIT_MS, 'the old version runs', () => before(first) && told.size > 0);
  power.arm(point);
  update(upstream, one);
  const unused = one.to === 'bad' ? image.leaving : image.one;
  let isCollected = false;
  await until(WAIT_MS, `${point}, or the update and what comes after it`, () => {
    void first.bundles.find(unused).then((bundle) => {
      isCollected = bundle === undefined;
    });
    return power.isCut() || (isThere(first, one) && isCollected);
  });
  const isCut = power.isCut();
  power.disarm();
  await first.close();

  // Without a network: what lies on the device is enough, and it is whole.
  const mains = createPower();
  const second = await begin(dataDir, mains, upstream, told);
  const where = isCut ? `cut ${point}` : 'without a cut';
  await until(WAIT_MS, `${where}: it runs offline`, () => {
    const pipeIs = second.module('pipe')?.image ?? '';
    return ['counter', 'pipe'].every(second.runs) && [image.one, image[one.to]].includes(pipeIs);
  });
  upstream.goOnline();
  await until(WAIT_MS, `${where}: it is where it should be`, () => isThere(second, one));
  second.stopCounting();
  const missing = (): string[] => {
    const arrived = new Set(upstream.sent('pipe').map(({ body }) => textOf(body)));
    return [...told].filter((name) => !arrived.has(name));
  };
  await until(WAIT_MS, `${where}: all that was told is safe is at the hub`, () => {
    return missing().length === 0;
  });
  await second.close();
  rmSync(dataDir, { recursive: true });
  return { isCut, points: power.points };
}

const textOf = (body: Uint8Array): string => JSON.parse(new TextDecoder().decode(body)) as string;

/** A device on which the first deployment has long been running. */
async function makeBase(one: Case): Promise<string> {
  const dataDir = join(folder, `base-${one.to}-${one.order}`);
  const upstream = hub(settings(one, image.one));
  upstream.goOnline();
  const life = await begin(dataDir, createPower(), upstream, new Set());
  await until(WAIT_MS, 'the first deployment runs', () => before(life));
  life.stopCounting();
  await life.close();
  return dataDir;
}

/** An update with the power cut at each of its points, one after the other; `steps`: at its steps alone. */
export async function cutEverywhere(one: Case, only: 'steps' | 'all'): Promise<void> {
  const base = await makeBase(one);
  const isPoint = (name: string): boolean => only === 'all' || name.includes('the step');
  // One run without a cut tells the points; others may show more.
  const { points } = await cutAt('nowhere', one, base);
  const waiting = points.filter(isPoint);
  const known = new Set(waiting);
  const hit = new Set<string>();
  const work = async (): Promise<void> => {
    for (let point = waiting.shift(); point !== undefined; point = waiting.shift()) {
      const outcome = await cutAt(point, one, base);
      if (outcome.isCut) hit.add(point);
      waiting.push(...outcome.points.filter((name) => isPoint(name) && !known.has(name)));
      for (const name of waiting) known.add(name);
    }
  };
  await Promise.all([work(), work(), work(), work()]);
  const steps = [...known].filter((name) => name.includes('the step'));
  assert.ok(steps.length >= 12, steps.join('; '));
  for (const name of steps) assert.ok(hit.has(name), `never cut ${name}`);
}
