import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fault } from '../../src/core/fault.ts';
import { createLogMap } from '../../src/core/log-map.ts';
import type { LiveModule } from '../../src/supervisor/live-module.ts';
import { createMethods } from '../../src/supervisor/methods.ts';
import { createModuleLogs } from '../../src/supervisor/module-logs.ts';
import { allOf } from '../fakes/all-of.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createFakeLog } from '../fakes/log.ts';

const test = suite('methods and logs');

function setUp() {
  const clock = createFakeClock();
  const live = new Map<string, Partial<LiveModule>>();
  const methods = createMethods({
    device: 'edge',
    clock,
    live: (name) => live.get(name) as LiveModule | undefined,
    agent: async ({ name }) => ({ status: 200, payload: name }),
  });
  const timeouts = { connectMs: 1_000, responseMs: 2_000 };
  return { clock, live, methods, timeouts };
}

const echo: Partial<LiveModule> = {
  listening: () => true,
  invoke: async ({ payload }) => ({ status: 201, payload }),
};

test('a module calls another of the same device', async () => {
  const { live, methods, timeouts } = setUp();
  live.set('b', echo);
  const reply = await methods.fromModule('edge', 'b', { name: 'x', payload: 3 }, timeouts);
  assert.equal(reply, { status: 201, payload: 3 });
});

test('it waits for one that is not there yet, so long', async () => {
  const { clock, live, methods, timeouts } = setUp();
  const asked = methods.fromModule('edge', 'b', { name: 'x', payload: 3 }, timeouts);
  await clock.advance(500);
  live.set('b', echo);
  await clock.advance(200);
  assert.is((await asked).status, 201);
});

test('the cloud hears at once of a module that is absent, soon of one that listens to nothing; a silent one times out there', async () => {
  const { clock, live, methods } = setUp();
  const call = { name: 'x', payload: null };
  assert.is((await methods.fromCloud('b', call))?.status, 404);
  live.set('b', { ...echo, listening: () => false });
  const asked = methods.fromCloud('b', call);
  await clock.advance(2_000);
  assert.equal(await asked, {
    status: 404,
    payload: { message: 'Module b takes no method calls at the moment' },
  });
  const early = methods.fromCloud('b', call);
  await clock.advance(300);
  live.set('b', echo);
  await clock.advance(100);
  assert.is((await early)?.status, 201, 'it has just been started');
  live.set('b', { listening: () => true, invoke: async () => undefined });
  assert.is(await methods.fromCloud('b', call), undefined);
  live.set('b', echo);
  assert.is((await methods.fromCloud('b', call))?.status, 201);
});

test('who is absent, silent, or on another device is said', async () => {
  const { clock, live, methods, timeouts } = setUp();
  const code = async (device: string, module: string | null): Promise<string> => {
    const asked = methods.fromModule(device, module, { name: 'x', payload: null }, timeouts).then(
      () => 'fine',
      (cause: Fault) => cause.code,
    );
    await clock.advance(10_000);
    return await asked;
  };
  assert.is(await code('edge', 'nobody'), 'ENDPOINT_AWAY');
  assert.is(await code('elsewhere', 'b'), 'ENDPOINT_AWAY');
  assert.is(await code('edge', null), 'ENDPOINT_AWAY');
  live.set('mute', { listening: () => true, invoke: async () => undefined });
  assert.is(await code('edge', 'mute'), 'TIMED_OUT');
});

test('the runtime has methods of its own', async () => {
  const { methods } = setUp();
  const asked = await methods.fromCloud('$edgeAgent', { name: 'ping', payload: null });
  assert.equal(asked, { status: 200, payload: 'ping' });
  assert.is((await methods.fromCloud('$edgeHub', { name: 'x', payload: null }))?.status, 404);
});

test('a module’s last lines are kept, bounded, and followed', async () => {
  const kept = createLogMap();
  const logs = createModuleLogs(kept, createFakeClock(), createFakeLog());
  const seen: string[] = [];
  const stop = logs.follow('m', ({ text }) => seen.push(text));
  for (let index = 0; index < 3_000; index++) logs.append('m', 'info', `line ${index}`);
  stop();
  logs.append('m', 'warn', 'x'.repeat(20_000));
  assert.is(seen.length, 3_000);
  const lines = await allOf(logs.read('m', { tail: 5_000 }));
  assert.is(lines.length, 1_000);
  assert.equal(
    kept.tail('m', 2).map(({ text }) => text.length),
    ['line 2999'.length, 8_193],
  );
  assert.equal(kept.tail('nobody', 5), []);
});

test.run();
