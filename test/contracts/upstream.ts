/** What every Upstream keeps: run by the fake and by IoT Hub's own SDK against the emulator alike. */
import { suite, type Test } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fault } from '../../src/core/fault.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type {
  Link,
  LinkSink,
  MethodCall,
  MethodReply,
  TwinDocument,
  Upstream,
} from '../../src/core/ports.ts';
import { until, within } from '../fakes/within.ts';
import { message } from './store.ts';

export type UpstreamSubject = {
  readonly upstream: Upstream;
  /** The hub comes and goes. It is away at first. */
  readonly goOnline: () => Promise<void>;
  readonly goOffline: () => Promise<void>;
  /** Bodies the hub has got from this module, in order. */
  readonly sent: (module: string) => Promise<readonly string[]>;
  readonly desired: (module: string, patch: JsonObject) => Promise<void>;
  readonly invoke: (module: string, call: MethodCall) => Promise<MethodReply | undefined>;
  readonly twin: (module: string) => Promise<TwinDocument>;
  readonly close: () => Promise<void>;
};

export const LIMIT_MS = 15_000;

/** A link that notes everything it is told. */
export type NotingLink = Link & {
  /** 'online' or the code of the fault that took it away, in order. */
  readonly told: readonly string[];
  readonly patches: readonly JsonObject[];
  onMethod(run: LinkSink['method']): void;
  untilOnline(): Promise<void>;
  untilOffline(): Promise<void>;
};

export function openNoting(upstream: Upstream, module: string): NotingLink {
  const told: string[] = [];
  const patches: JsonObject[] = [];
  let method: LinkSink['method'] = async () => undefined;
  const link = upstream.open(module, {
    online: () => void told.push('online'),
    offline: (fault) => void told.push(fault.code),
    desired: (patch) => void patches.push(patch),
    method: (call) => method(call),
  });
  const wait = async (online: boolean): Promise<void> => {
    const what = `${module} is told ${online ? 'online' : 'offline'}, it heard ${told.join(' ')}`;
    await until(LIMIT_MS, what, () => told.length > 0 && (told.at(-1) === 'online') === online);
  };
  return {
    ...link,
    told,
    patches,
    onMethod: (run) => void (method = run),
    untilOnline: () => wait(true),
    untilOffline: () => wait(false),
  };
}

export async function codeOf(asked: Promise<unknown>): Promise<string | undefined> {
  return await within(
    LIMIT_MS,
    'an answer',
    asked.then(
      () => undefined,
      (cause: unknown) => (cause as Fault).code,
    ),
  );
}

/** `open` gives a hub that is away, with nothing in it. The suite still has to be run. */
export function upstreamContract(name: string, open: () => Promise<UpstreamSubject>): Test {
  const test = suite(`upstream contract: ${name}`);

  async function using(run: (subject: UpstreamSubject) => Promise<void>): Promise<void> {
    const subject = await within(LIMIT_MS, 'a subject', open());
    try {
      await within(60_000, 'the test', run(subject));
    } finally {
      await within(LIMIT_MS, 'the end', subject.close());
    }
  }

  test('away: everything is answered at once', () =>
    using(async ({ upstream }) => {
      const link = openNoting(upstream, 'sensor');
      const outcomes = await within(500, 'outcomes', link.send([message('a'), message('b')]));
      assert.equal(
        outcomes.map((outcome) => outcome?.code),
        ['UPSTREAM_AWAY', 'UPSTREAM_AWAY'],
      );
      assert.equal(await link.send([]), []);
      assert.is(await codeOf(link.readTwin()), 'UPSTREAM_AWAY');
      assert.is(await codeOf(link.report({ a: 1 })), 'UPSTREAM_AWAY');
    }));

  test('messages arrive in order, each with its outcome', () =>
    using(async ({ upstream, goOnline, sent }) => {
      await goOnline();
      const link = openNoting(upstream, 'sensor');
      await link.untilOnline();
      const texts = Array.from({ length: 120 }, (_, index) => `m${index}`);
      const halves = [texts.slice(0, 60), texts.slice(60)];
      const outcomes = await Promise.all(halves.map((half) => link.send(half.map(message))));
      assert.equal(outcomes.flat(), Array(120).fill(undefined));
      assert.equal(await sent('sensor'), texts);
    }));

  test('a twin has versions; a report merges and deletes', () =>
    using(async ({ upstream, goOnline, twin }) => {
      await goOnline();
      const link = openNoting(upstream, 'sensor');
      await link.untilOnline();
      const before = await link.readTwin();
      assert.type(before.desired['$version'], 'number');
      await link.report({ state: { on: true, level: 3 }, gone: 1 });
      await link.report({ state: { level: 4 }, gone: null });
      const { reported } = await link.readTwin();
      assert.equal(reported, {
        state: { on: true, level: 4 },
        $version: (before.reported['$version'] as number) + 2,
      });
      assert.equal((await twin('sensor')).reported['state'], { on: true, level: 4 });
    }));

  test('desired changes arrive as patches with versions, and only while online', () =>
    using(async ({ upstream, goOnline, desired }) => {
      await goOnline();
      const link = openNoting(upstream, 'sensor');
      await link.untilOnline();
      const { $version } = (await link.readTwin()).desired as { $version: number };
      await desired('sensor', { every: { s: 5 } });
      await desired('sensor', { every: null });
      await until(LIMIT_MS, 'both patches', () => link.patches.length >= 2);
      assert.equal(link.patches, [
        { every: { s: 5 }, $version: $version + 1 },
        { every: null, $version: $version + 2 },
      ]);
      assert.equal((await link.readTwin()).desired, { $version: $version + 2 });
    }));

  test('methods reach the module by any name; no answer is no answer', () =>
    using(async ({ upstream, goOnline, invoke }) => {
      await goOnline();
      const link = openNoting(upstream, 'sensor');
      link.onMethod(async ({ name: called, payload }) =>
        called === 'unknown' ? undefined : { status: 201, payload: { called, payload } },
      );
      await link.untilOnline();
      assert.equal(await invoke('sensor', { name: 'reset.all', payload: { a: [1, null] } }), {
        status: 201,
        payload: { called: 'reset.all', payload: { a: [1, null] } },
      });
      assert.equal(await invoke('sensor', { name: 'ping', payload: null }), {
        status: 201,
        payload: { called: 'ping', payload: null },
      });
      assert.is(await invoke('sensor', { name: 'unknown', payload: 1 }), undefined);
    }));

  test('the hub goes and comes back: told once each, nothing missed', () =>
    using(async ({ upstream, goOnline, goOffline, sent, desired }) => {
      await goOnline();
      const link = openNoting(upstream, 'sensor');
      await link.untilOnline();
      await link.send([message('before')]);
      await goOffline();
      await link.untilOffline();
      assert.is((await link.send([message('away')]))[0]?.code, 'UPSTREAM_AWAY');
      await goOnline();
      await link.untilOnline();
      assert.equal(await link.send([message('after')]), [undefined]);
      assert.equal(await sent('sensor'), ['before', 'after']);
      await desired('sensor', { again: true });
      await until(LIMIT_MS, 'a patch', () => link.patches.length > 0);
      assert.equal(link.told.slice(-3), ['online', 'UPSTREAM_AWAY', 'online']);
    }));

  test('two modules are two identities', () =>
    using(async ({ upstream, goOnline, sent, desired, twin }) => {
      await goOnline();
      const [a, b] = [openNoting(upstream, 'a'), openNoting(upstream, 'b')];
      await Promise.all([a.untilOnline(), b.untilOnline()]);
      await Promise.all([a.send([message('of a')]), b.send([message('of b')]), b.report({ b: 1 })]);
      assert.equal(await sent('a'), ['of a']);
      assert.equal(await sent('b'), ['of b']);
      assert.is((await twin('a')).reported['b'], undefined);
      await desired('b', { x: 1 });
      await until(LIMIT_MS, 'a patch', () => b.patches.length > 0);
      assert.equal(a.patches, []);
    }));

  test('after close the sink hears nothing, and everything is answered', () =>
    using(async ({ upstream, goOnline, goOffline, desired }) => {
      await goOnline();
      const link = openNoting(upstream, 'sensor');
      await link.untilOnline();
      await within(6_000, 'close', link.close());
      await desired('sensor', { late: 1 });
      assert.is((await link.send([message('late')]))[0]?.code, 'UPSTREAM_AWAY');
      assert.is(await codeOf(link.readTwin()), 'UPSTREAM_AWAY');
      await goOffline();
      assert.equal([link.told, link.patches], [['online'], []]);
      await link.close();
    }));

  return test;
}
