/** A new version of a module beside the old one, on fakes: who is heard when, and what comes of mishaps. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { GuestRequest } from '../../src/core/guest-protocol.ts';
import type { JsonObject } from '../../src/core/json.ts';
import { startSupervisor } from '../../src/supervisor/supervisor.ts';
import { createFakeBundles } from '../fakes/bundles.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createFakeLog } from '../fakes/log.ts';
import { createFakeModuleHost, type FakeProgram } from '../fakes/module-host.ts';
import { createMemoryStore } from '../fakes/store.ts';
import { createFakeUpstream } from '../fakes/upstream.ts';

const test = suite('takeover');

const sending = (call: number, b: string): GuestRequest => ({
  t: 'send',
  call,
  output: 'out',
  p: {},
  s: {},
  b,
});

/** Sends what its desired properties say, a number each. */
const source: FakeProgram = (module) => {
  let call = 0;
  module.onEvents((events) => {
    for (const event of events) {
      if (event.t === 'desired' && 'go' in event.patch)
        module.request([sending(++call, String(event.patch['go']))]);
    }
  });
  module.request([{ t: 'listen', what: 'desired' }]);
};

type Behaviour = {
  /** It acknowledges nothing until its desired property `free` is set. */
  readonly keeps?: boolean;
  readonly listens?: boolean;
  /** It sends and reports at its start. */
  readonly greets?: boolean;
};

/** Marks each input with its own letter and hands it on. */
const marking =
  (
    letter: string,
    { keeps = false, listens = true, greets = false }: Behaviour = {},
  ): FakeProgram =>
  (module) => {
    let call = 0;
    let kept: GuestRequest[] = [];
    module.onEvents((events) => {
      for (const event of events) {
        if (event.t === 'method') {
          module.request([{ t: 'answer', id: event.id, status: 200, payload: letter }]);
        }
        if (event.t === 'desired' && 'free' in event.patch) {
          module.request(kept);
          kept = [];
        }
        if (event.t !== 'input') continue;
        const requests: GuestRequest[] = [
          sending(++call, `${letter}${event.b}`),
          { t: 'ack', ids: [event.id] },
        ];
        if (keeps) kept.push(...requests);
        else module.request(requests);
      }
    });
    if (greets) {
      module.request([
        sending(++call, `${letter} is here`),
        { t: 'report', call: ++call, patch: { by: letter } },
      ]);
    }
    if (!listens) return;
    module.request([
      { t: 'listen', what: 'inputs' },
      { t: 'listen', what: 'methods' },
      { t: 'listen', what: 'desired' },
    ]);
  };

const broken: FakeProgram = () => {
  throw new Error('it broke at load');
};

const docker = (image: string, createOptions: JsonObject = {}): JsonObject => ({
  type: 'docker',
  version: '1.0',
  status: 'running',
  restartPolicy: 'always',
  settings: { image, createOptions: JSON.stringify(createOptions) },
});

async function running(old: Behaviour, next: FakeProgram) {
  const clock = createFakeClock();
  const upstream = createFakeUpstream();
  const log = createFakeLog();
  const programs = { source, old: marking('a', old), next, third: marking('c') };
  const host = createFakeModuleHost(programs);
  const supervisor = await startSupervisor({
    store: createMemoryStore(),
    host,
    upstream,
    bundles: createFakeBundles({ 's:1': 'source', 'm:1': 'old', 'm:2': 'next', 'm:3': 'third' }),
    clock,
    random: () => 0.5,
    log,
    device: { id: 'edge', hub: 'hub', version: '0', architecture: 'arm64', pid: 1 },
    moduleLimits: { heapMb: 32, startMs: 5000, turnMs: 1000 },
  });
  let sent = 0;
  const world = {
    clock,
    upstream,
    host,
    log,
    supervisor,
    deploy(m: JsonObject): void {
      upstream.desired('$edgeAgent', {
        schemaVersion: '1.1',
        runtime: { type: 'docker', settings: {} },
        systemModules: {},
        modules: { source: docker('s:1'), m },
      });
    },
    send(): void {
      upstream.desired('source', { go: ++sent });
    },
    arrived: (): string[] => upstream.sent('m').map(({ body }) => Buffer.from(body).toString()),
    images: (): string[] => host.starts.filter(({ module }) => module === 'm').map((s) => s.code),
    status: () => supervisor.status.modules().find(({ name }) => name === 'm'),
  };
  world.deploy(docker('m:1'));
  upstream.desired('$edgeHub', {
    schemaVersion: '1.1',
    routes: {
      in: 'FROM /messages/modules/source/* INTO BrokeredEndpoint("/modules/m/inputs/in")',
      up: 'FROM /messages/modules/m/* INTO $upstream',
    },
  });
  upstream.goOnline();
  await clock.advance(3_000);
  return world;
}

test('no message is lost, doubled or out of its order', async () => {
  const world = await running({}, marking('b'));
  for (let i = 0; i < 20; i++) {
    world.send();
    if (i === 10) world.deploy(docker('m:2'));
    if (i % 3 === 0) await world.clock.advance(1);
  }
  await world.clock.advance(2_000);
  const arrived = world.arrived();
  assert.equal(
    arrived.map((text) => Number(text.slice(1))),
    Array.from({ length: 20 }, (_, index) => index + 1),
  );
  assert.is(arrived[0]?.[0], 'a');
  assert.is(arrived.at(-1)?.[0], 'b');
  assert.match(arrived.map((text) => text[0]).join(''), /^a+b+$/);
});

test('nobody hears the new version before the old one has ended', async () => {
  const world = await running({ keeps: true }, marking('b', { greets: true }));
  world.send();
  await world.clock.advance(1_000);
  world.deploy(docker('m:2'));
  await world.clock.advance(2_000);
  assert.equal(world.images(), ['old', 'next']);
  assert.equal(world.arrived(), []);
  assert.is(world.upstream.twin('m').reported['by'], undefined);
  assert.match(world.status()?.description ?? '', /its new version starts beside it/);
  world.upstream.desired('m', { free: 1 });
  await world.clock.advance(2_000);
  assert.equal(world.arrived(), ['a1', 'b is here']);
  assert.is(world.upstream.twin('m').reported['by'], 'b');
  world.send();
  await world.clock.advance(1_000);
  assert.equal(world.arrived(), ['a1', 'b is here', 'b2']);
});

test('an old version that does not finish is waited for five seconds; its messages go to the new one', async () => {
  const world = await running({ keeps: true }, marking('b'));
  world.send();
  world.send();
  await world.clock.advance(1_000);
  world.deploy(docker('m:2'));
  await world.clock.advance(4_500);
  assert.equal(world.arrived(), []);
  await world.clock.advance(5_000);
  assert.equal(world.arrived(), ['b1', 'b2']);
});

test('a new version that breaks costs nothing: the old one runs on, and says why', async () => {
  const world = await running({}, broken);
  world.deploy(docker('m:2'));
  await world.clock.advance(2_000);
  world.send();
  await world.clock.advance(1_000);
  assert.equal(world.arrived(), ['a1']);
  assert.equal(world.images(), ['old', 'next']);
  const { status, description = '' } = world.status() ?? {};
  assert.is(status, 'running');
  assert.match(description, /its new version failed and is tried again: .*it broke at load/);
  await world.clock.advance(10_000);
  assert.equal(world.images(), ['old', 'next', 'next'], 'after the pause of a module that crashes');
  await world.clock.advance(15_000);
  assert.is(world.images().length, 3, 'the second pause is longer');
  world.deploy(docker('m:3'));
  await world.clock.advance(2_000);
  world.send();
  await world.clock.advance(1_000);
  assert.equal(world.arrived(), ['a1', 'c2']);
  assert.is(world.status()?.description, 'running');
});

test('a new version that listens to less takes over all the same, later', async () => {
  const world = await running({}, marking('b', { listens: false }));
  world.deploy(docker('m:2'));
  await world.clock.advance(9_000);
  world.send();
  await world.clock.advance(500);
  assert.equal(world.arrived(), ['a1']);
  await world.clock.advance(2_000);
  world.send();
  await world.clock.advance(5_000);
  assert.equal(world.arrived(), ['a1']);
  assert.is(world.status()?.waiting, 1);
});

test('a deployment that is replaced half-way ends what stood beside', async () => {
  const world = await running({ keeps: true }, marking('b'));
  world.send();
  await world.clock.advance(1_000);
  world.deploy(docker('m:2'));
  await world.clock.advance(1_000);
  world.deploy(docker('m:3'));
  await world.clock.advance(1_000);
  assert.equal(world.images(), ['old', 'next', 'third']);
  world.upstream.desired('m', { free: 1 });
  await world.clock.advance(1_000);
  world.send();
  await world.clock.advance(1_000);
  assert.equal(world.arrived(), ['a1', 'c2']);
});

test('back to the old version: it has never been away', async () => {
  const world = await running({ keeps: true }, marking('b'));
  world.send();
  await world.clock.advance(1_000);
  world.deploy(docker('m:2'));
  await world.clock.advance(1_000);
  world.deploy(docker('m:1'));
  await world.clock.advance(1_000);
  world.upstream.desired('m', { free: 1 });
  await world.clock.advance(1_000);
  assert.equal(world.arrived(), ['a1']);
  assert.equal(world.images(), ['old', 'next']);
  assert.is(world.status()?.description, 'running');
});

test('when the old one crashes meanwhile, the new one is there', async () => {
  const world = await running({ keeps: true }, marking('b'));
  world.send();
  await world.clock.advance(1_000);
  world.deploy(docker('m:2'));
  await world.clock.advance(1_000);
  const [old] = world.host.members('m');
  old?.({ cause: 'error', exitCode: 1, reason: 'it threw' });
  await world.clock.advance(4_000);
  assert.equal(world.arrived(), ['b1']);
  assert.equal(world.images(), ['old', 'next']);
});

test('both taken away at once: neither is left', async () => {
  const world = await running({ keeps: true }, marking('b'));
  world.send();
  await world.clock.advance(1_000);
  world.deploy(docker('m:2'));
  await world.clock.advance(1_000);
  world.deploy({ ...docker('m:2'), status: 'stopped' });
  await world.clock.advance(1_000);
  assert.is(world.host.members('m').length, 0);
  assert.is(world.status()?.status, 'stopped');
  world.deploy(docker('m:2'));
  await world.clock.advance(5_000);
  assert.equal(world.arrived(), ['b1']);
});

test('what only one can have is given up first', async () => {
  const ports = { HostConfig: { PortBindings: { '80/tcp': [{ HostPort: '8080' }] } } };
  const label = { Labels: { 'isolet.update_order': 'stop-first' } };
  for (const options of [ports, label]) {
    const world = await running({ keeps: true }, marking('b'));
    world.send();
    await world.clock.advance(1_000);
    world.deploy(docker('m:2', options));
    await world.clock.advance(100);
    assert.is(world.host.members('m').length, 1);
    await world.clock.advance(4_000);
    assert.equal(world.arrived(), ['b1']);
  }
});

test('method calls go to the new version as soon as it takes over', async () => {
  const world = await running({}, marking('b'));
  assert.equal((await world.upstream.invoke('m', { name: 'who', payload: null }))?.payload, 'a');
  world.deploy(docker('m:2'));
  await world.clock.advance(1_000);
  assert.equal((await world.upstream.invoke('m', { name: 'who', payload: null }))?.payload, 'b');
});

test.run();
