import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Link, TwinDocument, TwinRow } from '../../src/core/ports.ts';
import { createTwins } from '../../src/supervisor/twins.ts';
import { createFakeClock, settle } from '../fakes/clock.ts';
import { createFakeLog } from '../fakes/log.ts';

const test = suite('twins');

/** A hub's side of one twin. */
function createFakeLink(twin: TwinDocument) {
  let hub = twin;
  let fault: Fault | undefined;
  const reports: JsonObject[] = [];
  const link: Link = {
    send: async (messages) => messages.map(() => undefined),
    async readTwin() {
      // Only the world keeps a twin from being read.
      if (fault?.whose === 'world') throw fault;
      return hub;
    },
    async report(patch) {
      await settle();
      if (fault !== undefined) throw fault;
      reports.push(patch);
    },
    async close() {},
  };
  return {
    link,
    reports,
    set(next: TwinDocument) {
      hub = next;
    },
    fail(next: Fault | undefined) {
      fault = next;
    },
  };
}

function setUp(rows: Readonly<Record<string, TwinRow>> = {}) {
  const clock = createFakeClock();
  const saved = new Map<string, TwinRow | null>();
  const log = createFakeLog();
  const twins = createTwins(
    {
      clock,
      log,
      random: () => 0.5,
      async write(writes) {
        for (const write of writes) if (write.kind === 'twin') saved.set(write.module, write.twin);
      },
    },
    rows,
  );
  const told: JsonObject[] = [];
  twins.follow('m', (patch) => told.push(patch));
  return { clock, twins, told, saved, log };
}

const hub = (desired: JsonObject, reported: JsonObject = { $version: 1 }): TwinDocument => ({
  desired,
  reported,
});

test('after a connect the whole twin is read, and the difference told', async () => {
  const { clock, twins, told, saved } = setUp({
    m: { desired: { a: 1, b: 2, $version: 3 }, reported: {}, pending: null, syncedAtMs: 1 },
  });
  const { link } = createFakeLink(hub({ a: 1, c: 3, $version: 6, $metadata: {} }));
  twins.online('m', link);
  await clock.advance(10);
  assert.equal(told, [{ b: null, c: 3, $version: 6 }]);
  assert.equal(saved.get('m')?.desired, { a: 1, c: 3, $version: 6 });
});

test('a twin the hub made anew is told what the one before had been told', async () => {
  const { clock, twins, told } = setUp();
  const fake = createFakeLink(hub({ a: 1, $version: 4 }, { old: 1, $version: 7 }));
  twins.online('m', fake.link);
  await clock.advance(10);
  await twins.report('m', { mine: { x: 1 } });
  await clock.advance(10);
  assert.equal(fake.reports, [{ mine: { x: 1 } }]);
  // The same twin, as the hub counts it: nothing is told again.
  twins.online('m', undefined);
  fake.set(hub({ a: 1, $version: 4 }, { old: 1, mine: { x: 1 }, $version: 8 }));
  twins.online('m', fake.link);
  await clock.advance(10);
  assert.is(fake.reports.length, 1);
  // Another one, without what the cloud had asked for.
  twins.online('m', undefined);
  fake.set(hub({ $version: 1 }, { $version: 1 }));
  twins.online('m', fake.link);
  await clock.advance(10);
  assert.equal(fake.reports.at(-1), { old: 1, mine: { x: 1 } });
  assert.equal(told.at(-1), { a: null, $version: 1 });
  assert.equal(twins.read('m').reported['mine'], { x: 1 });
});

test('the next version is merged; a gap is filled by a full read; an old one is passed over', async () => {
  const { clock, twins, told } = setUp();
  const fake = createFakeLink(hub({ a: 1, $version: 2 }));
  twins.online('m', fake.link);
  await clock.advance(10);
  twins.desired('m', { a: 2, $version: 3 });
  twins.desired('m', { a: 0, $version: 2 });
  assert.equal(twins.read('m').desired, { a: 2, $version: 3 });
  fake.set(hub({ a: 9, b: 9, $version: 7 }));
  twins.desired('m', { b: 9, $version: 7 });
  await clock.advance(10);
  assert.equal(told.slice(1), [
    { a: 2, $version: 3 },
    { a: 9, b: 9, $version: 7 },
  ]);
});

test('reports made offline become one patch; the owner sees its own writes at once', async () => {
  const { clock, twins, saved } = setUp();
  await twins.report('m', { a: 1, b: { c: 1 } });
  await twins.report('m', { a: null, b: { d: 2 } });
  assert.equal(twins.read('m').reported, { b: { c: 1, d: 2 } });
  assert.equal(saved.get('m')?.pending, { a: null, b: { c: 1, d: 2 } });
  assert.is(twins.pending(), 1);
  const fake = createFakeLink(hub({ $version: 1 }));
  twins.online('m', fake.link);
  await clock.advance(10);
  assert.equal(fake.reports, [{ a: null, b: { c: 1, d: 2 } }]);
  assert.is(twins.pending(), 0);
  assert.is(saved.get('m')?.pending, null);
});

test('a report made while another is on its way goes up after it', async () => {
  const { clock, twins } = setUp();
  const fake = createFakeLink(hub({ $version: 1 }));
  twins.online('m', fake.link);
  await clock.advance(10);
  void twins.report('m', { a: 1 });
  await Promise.resolve();
  await Promise.resolve();
  void twins.report('m', { a: 2, b: 1 });
  await clock.advance(100);
  assert.equal(fake.reports, [{ a: 1 }, { a: 2, b: 1 }]);
});

test('what the hub could not take is kept, and joined with what came after', async () => {
  const { clock, twins } = setUp();
  const fake = createFakeLink(hub({ $version: 1 }));
  fake.fail(new Fault('UPSTREAM_REFUSED', 'throttled'));
  twins.online('m', fake.link);
  await twins.report('m', { a: 1 });
  await clock.advance(100);
  await twins.report('m', { b: 2 });
  fake.fail(undefined);
  // Each report takes a turn of the event loop.
  for (let report = 0; report < 3; report++) await clock.advance(120_000);
  assert.equal(
    fake.reports.reduce((all, patch) => ({ ...all, ...patch }), {}),
    { a: 1, b: 2 },
  );
  assert.is(twins.pending(), 0);
});

test('what the hub refuses for good is dropped, with a word in the log', async () => {
  const { clock, twins, log } = setUp();
  const fake = createFakeLink(hub({ $version: 1 }));
  fake.fail(new Fault('TWIN_INVALID', 'no'));
  twins.online('m', fake.link);
  await twins.report('m', { a: 1 });
  await clock.advance(100);
  assert.is(twins.pending(), 0);
  assert.ok(log.entries.some(({ message }) => message.includes('refused reported properties')));
});

test('a patch, or a twin, over a limit is refused before anybody is told yes', async () => {
  const { twins } = setUp();
  const code = async (patch: JsonObject): Promise<string> =>
    await twins.report('m', patch).then(
      () => 'fine',
      (cause: Fault) => cause.code,
    );
  assert.is(await code({ 'a.b': 1 }), 'TWIN_INVALID');
  const half = Object.fromEntries(
    Array.from({ length: 5 }, (_, index) => [`k${index}`, 'x'.repeat(4000)]),
  );
  assert.is(await code(half), 'fine');
  const other = Object.fromEntries(
    Array.from({ length: 5 }, (_, index) => [`l${index}`, 'x'.repeat(4000)]),
  );
  assert.is(await code(other), 'TWIN_INVALID');
  assert.is(Object.keys(twins.read('m').reported).length, 5);
});

test('who asks before the first sync waits for it, but not for ever', async () => {
  const { clock, twins } = setUp();
  const answers: TwinDocument[] = [];
  void twins.readWhenKnown('m', 5_000).then((twin) => answers.push(twin));
  await clock.advance(1_000);
  assert.is(answers.length, 0);
  twins.online('m', createFakeLink(hub({ a: 1, $version: 2 })).link);
  await clock.advance(10);
  assert.equal(answers[0]?.desired, { a: 1, $version: 2 });
  void twins.readWhenKnown('other', 5_000).then((twin) => answers.push(twin));
  await clock.advance(5_001);
  assert.equal(answers[1]?.desired, {});
});

test.run();
