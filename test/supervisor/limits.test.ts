/** A module's limits out of its manifest, and what is told when they strike, on the whole supervisor. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { GuestEvent } from '../../src/core/guest-protocol.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { ModuleLimits } from '../../src/core/ports.ts';
import { startSupervisor } from '../../src/supervisor/supervisor.ts';
import { allOf } from '../fakes/all-of.ts';
import { createFakeBundles } from '../fakes/bundles.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createFakeLog } from '../fakes/log.ts';
import { createFakeModuleHost, type FakeProgram } from '../fakes/module-host.ts';
import { createMemoryStore, type MemoryStore } from '../fakes/store.ts';
import { createFakeUpstream, type FakeUpstream } from '../fakes/upstream.ts';

const test = suite('limits');

const DEVICE: ModuleLimits = { heapMb: 32, startMs: 5_000, turnMs: 1_000, logLinesPerSecond: 100 };

/** Does what its desired `do` says, and keeps the answers. */
const answers: GuestEvent[] = [];
const puppet: FakeProgram = (module) => {
  let call = 0;
  const send = (body: string) =>
    ({ t: 'send', call: ++call, output: 'out', p: {}, s: {}, b: body }) as const;
  module.onEvents((events) => {
    for (const event of events) {
      if (event.t === 'reply' || event.t === 'replies') answers.push(event);
      if (event.t !== 'desired') continue;
      const { what, count } = event.patch['do'] as { what: string; count: number };
      const each = Array.from({ length: count }, (_, index) => index);
      if (what === 'send') module.request(each.map((index) => send(`${index}`)));
      if (what === 'log') {
        module.request(each.map((index) => ({ t: 'log', level: 'info', text: `line ${index}` })));
      }
      if (what === 'throw') throw new Error('as told');
    }
  });
  module.request([{ t: 'listen', what: 'desired' }]);
};

/** Takes inputs and never acknowledges them. */
const swallower: FakeProgram = (module) => {
  module.request([{ t: 'listen', what: 'inputs' }]);
};

async function setUp(
  Labels: JsonObject,
  modules: JsonObject = {},
  store: MemoryStore = createMemoryStore(),
  upstream: FakeUpstream = createFakeUpstream(),
) {
  answers.length = 0;
  const clock = createFakeClock(Date.UTC(2026, 5, 1));
  const host = createFakeModuleHost({ puppet, swallower }, clock);
  const supervisor = await startSupervisor({
    store,
    host,
    upstream,
    bundles: createFakeBundles({ 'puppet:1': 'puppet', 'swallower:1': 'swallower' }),
    clock,
    random: () => 0.5,
    log: createFakeLog(),
    device: { id: 'edge', hub: 'hub', version: '0', architecture: 'arm64', pid: 1 },
    moduleLimits: DEVICE,
  });
  upstream.desired('$edgeAgent', {
    schemaVersion: '1.1',
    runtime: { type: 'docker', settings: {} },
    systemModules: {},
    modules: { puppet: spec('puppet:1', { Labels }), ...modules },
  });
  upstream.desired('$edgeHub', {
    schemaVersion: '1.1',
    routes: {
      out: 'FROM /messages/modules/puppet/* INTO BrokeredEndpoint("/modules/swallower/inputs/in")',
    },
  });
  upstream.goOnline();
  await clock.advance(3_000);
  let order = 0;
  const act = async (what: string, count = 1): Promise<void> => {
    upstream.desired('puppet', { do: { what, count, order: ++order } });
    await clock.advance(1_000);
  };
  const summary = (name = 'puppet') => {
    const found = supervisor.status.modules().find((module) => module.name === name);
    if (found === undefined) throw new Error(`${name} is not there`);
    return found;
  };
  const reported = (name = 'puppet'): JsonObject =>
    (upstream.twin('$edgeAgent').reported['modules'] as Record<string, JsonObject>)[
      name
    ] as JsonObject;
  return { clock, supervisor, upstream, store, act, summary, reported };
}

const spec = (image: string, options: JsonObject = {}): JsonObject => ({
  type: 'docker',
  version: '1.0',
  status: 'running',
  restartPolicy: 'always',
  settings: { image, createOptions: JSON.stringify(options) },
});

const waitsForever = { swallower: { ...spec('swallower:1'), status: 'stopped' } };

test('the manifest changes the device’s limits, and both are told', async () => {
  const { summary } = await setUp({ 'isolet.turn_ms': '300', 'isolet.messages_per_second': '5' });
  assert.equal(summary().limits, { ...DEVICE, turnMs: 300, messagesPerSecond: 5 });
  assert.equal(summary().host, {
    pid: 1_000_001,
    modules: ['puppet'],
    residentBytes: 60_000_000,
    proportionalBytes: 40_000_000,
  });
});

test('more requests without an answer than allowed are refused, and nothing else happens', async () => {
  const { act, clock, summary, store } = await setUp(
    { 'isolet.outstanding_requests': '3' },
    waitsForever,
  );
  store.hold(true);
  await act('send', 5);
  const refused = answers.filter((event) => event.t === 'reply' && 'error' in event);
  assert.is(refused.length, 2);
  assert.match(JSON.stringify(refused), /ThrottlingError.*3 requests of module/);
  store.hold(false);
  await clock.advance(1_000);
  await act('send', 3);
  assert.is(summary().totals.requestsRefused, 2, 'answered ones count no longer');
  assert.is(summary().totals.messagesOut, 6);
  assert.is(summary().status, 'running');
});

test('console lines above the limit are dropped and counted, and a line says so', async () => {
  const { act, summary, supervisor } = await setUp({ 'isolet.log_lines_per_second': '2' });
  await act('log', 25);
  assert.equal([summary().totals.logLines, summary().totals.logLinesDropped], [20, 5]);
  const lines = await allOf(supervisor.logs.read('puppet', { tail: 100 }));
  assert.is(lines.length, 21);
  assert.is(lines.at(-1)?.text, '5 lines were dropped: it may write 2 a second');
});

test('messages above the limit wait: none is lost, and the wait is counted', async () => {
  const { act, clock, summary } = await setUp({ 'isolet.messages_per_second': '10' }, waitsForever);
  await act('send', 60);
  await act('send', 1);
  assert.is(summary().totals.messagesOut, 60, 'it has 5 s to pay back');
  await clock.advance(4_000);
  assert.is(summary().totals.messagesOut, 61);
  assert.ok(summary().totals.messageWaitMs > 3_000, String(summary().totals.messageWaitMs));
  assert.is(summary('swallower').waiting, 61);
});

test('a module’s storage is limited in bytes over all its inputs; the sender is told', async () => {
  const { act, summary } = await setUp(
    {},
    {
      swallower: {
        ...spec('swallower:1', { Labels: { 'isolet.storage_bytes': '400' } }),
        status: 'stopped',
      },
    },
  );
  await act('send', 50);
  const { waiting, storageBytes } = summary('swallower');
  assert.ok(waiting > 0 && waiting < 50, String(waiting));
  assert.ok(storageBytes <= 400 + 200, String(storageBytes));
  await act('nothing');
  await act('nothing');
  assert.is(summary().totals.messagesRefused, 50 - waiting);
  assert.match(
    JSON.stringify(answers),
    /DeviceMaximumQueueDepthExceededError.*for the module of swallower\/in and 400 is the limit/,
  );
});

test('why a module ended is a word, in the list and in the reported state, and survives a restart of ours', async () => {
  const { act, clock, summary, reported, supervisor, store, upstream } = await setUp({});
  assert.is(summary().restartReason, null);
  assert.not.ok('restartReason' in reported());
  await act('throw');
  await clock.advance(60_000);
  assert.is(summary().status, 'running');
  assert.is(summary().restartReason, 'unhandled error');
  assert.is(reported()['restartReason'], 'unhandled error');
  assert.equal(summary().totals.endings, { 'unhandled error': 1 });
  assert.is(summary().totals.starts, 2);
  await supervisor.stop();
  const again = await setUp({}, {}, store.afterPowerCut(), upstream);
  assert.is(again.summary().totals.starts, 3);
  assert.is(again.summary().totals.endings['unhandled error'], 1);
  assert.is(again.summary().totals.endings['stopped'], 1);
});

test('what a module used over time is there by the hour', async () => {
  const { act, clock, supervisor } = await setUp({}, waitsForever);
  await act('send', 10);
  await clock.advance(2 * 3_600_000);
  await act('send', 5);
  const history = supervisor.status.history('puppet');
  assert.is(history?.totals.messagesOut, 15);
  assert.is(history?.hours[0]?.messagesOut, 10);
  assert.is(history?.hours.at(-1)?.messagesOut, 5);
  assert.is(supervisor.status.history('nobody'), undefined);
});

test('a module held back by its CPU share is not blamed for being late', async () => {
  const late: FakeProgram = (module) => {
    module.onEvents((events) => {
      module.spend(1_000);
      const ids = events.flatMap((event) => (event.t === 'input' ? event.id : []));
      if (ids.length > 0) module.request([{ t: 'ack', ids }]);
    });
    module.request([{ t: 'listen', what: 'inputs' }]);
    module.spend(1_000);
  };
  const clock = createFakeClock();
  const upstream = createFakeUpstream();
  const supervisor = await startSupervisor({
    store: createMemoryStore(),
    host: createFakeModuleHost({ puppet, late }, clock),
    upstream,
    bundles: createFakeBundles({ 'puppet:1': 'puppet', 'late:1': 'late' }),
    clock,
    random: () => 0.5,
    log: createFakeLog(),
    device: { id: 'edge', hub: 'hub', version: '0', architecture: 'arm64', pid: 1 },
    moduleLimits: DEVICE,
  });
  upstream.desired('$edgeAgent', {
    schemaVersion: '1.1',
    runtime: { type: 'docker', settings: {} },
    systemModules: {},
    // A second of CPU time takes it 100 s: three times what an acknowledgement may take.
    modules: {
      puppet: spec('puppet:1'),
      late: spec('late:1', { HostConfig: { NanoCpus: 10_000_000 } }),
    },
  });
  upstream.desired('$edgeHub', {
    schemaVersion: '1.1',
    routes: {
      out: 'FROM /messages/modules/puppet/* INTO BrokeredEndpoint("/modules/late/inputs/in")',
    },
  });
  upstream.goOnline();
  await clock.advance(3_000);
  upstream.desired('puppet', { do: { what: 'send', count: 1, order: 1 } });
  await clock.advance(300_000);
  const module = supervisor.status.modules().find(({ name }) => name === 'late');
  assert.equal([module?.waiting, module?.totals.messagesIn], [0, 1], 'delivered once');
  assert.ok((module?.totals.cpuWaitMs ?? 0) > 90_000);
});

test.run();
