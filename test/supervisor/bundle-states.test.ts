/** Fetches that hang, and fetches nobody wants any more. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import type { Bundle, Bundles } from '../../src/core/ports.ts';
import { createBundleStates } from '../../src/supervisor/bundle-states.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createFakeLog } from '../fakes/log.ts';

const test = suite('bundle states');
const wanted = (image: string) => ({ image, imagePullPolicy: 'on-create' as const });

/** Fetches end when the test says so, or when they are not wanted. */
function setUp() {
  const clock = createFakeClock();
  const ends = new Map<string, (bundle: Bundle) => void>();
  const unwanted: string[] = [];
  let changes = 0;
  const bundles: Bundles = {
    find: async () => undefined,
    fetch(image, _logins, gone) {
      const fetched = Promise.withResolvers<Bundle>();
      ends.set(image, fetched.resolve);
      void gone?.then(() => {
        unwanted.push(image);
        fetched.reject(new Fault('DOWNLOAD_FAILED', 'it is not wanted'));
      });
      return fetched.promise;
    },
    collect: async () => {},
  };
  const states = createBundleStates({
    bundles,
    clock,
    random: () => 0.5,
    log: createFakeLog(),
    changed: () => changes++,
  });
  return { states, clock, ends, unwanted, changes: () => changes };
}

const bundle: Bundle = {
  digest: 'sha256:0',
  name: 'm',
  version: '1',
  treaty: 1,
  code: '',
  sourceMap: '',
};

test('a new deployment ends the download of what is not in it, and nothing is heard of that', async () => {
  const { states, clock, ends, unwanted, changes } = setUp();
  states.fetch('a');
  states.fetch('b');
  await clock.advance(1_000);
  states.keep([wanted('b')], new Map());
  await clock.advance(1_000);
  assert.equal(unwanted, ['a']);
  assert.equal([...states.states()], [['b', { kind: 'fetching' }]]);
  ends.get('b')?.(bundle);
  await clock.advance(1);
  assert.equal([...states.states()], [['b', { kind: 'ready' }]]);
  assert.is(changes(), 1);
});

test('wanted again while the old download ends, it is fetched anew', async () => {
  const { states, clock, ends } = setUp();
  states.fetch('a');
  await clock.advance(1);
  states.keep([], new Map());
  states.fetch('a');
  await clock.advance(1);
  assert.is(states.states().get('a')?.kind, 'fetching');
  ends.get('a')?.(bundle);
  await clock.advance(1);
  assert.is(states.states().get('a')?.kind, 'ready');
});

test('a fetch that hangs for ever is a failure after a quarter of an hour, and tried again', async () => {
  const { states, clock, unwanted } = setUp();
  states.fetch('a');
  await clock.advance(899_000);
  assert.is(states.states().get('a')?.kind, 'fetching');
  await clock.advance(2_000);
  const state = states.states().get('a');
  if (state?.kind !== 'failed') throw new Error(String(state?.kind));
  assert.match(state.problem, 'the bundle was not here after 900 s');
  assert.ok((state.retryAtMs ?? 0) > 0);
  assert.equal(unwanted, ['a']);
});

test.run();
