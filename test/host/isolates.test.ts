/** The spare isolate: there for the next start that fits it, gone after a while. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { defaultHostSettings } from '../../src/host/host-settings.ts';
import { createIsolates, type Isolates } from '../../src/host/isolates.ts';
import { createPrelude } from '../../src/host/prelude-script.ts';
import { createFakeClock, type FakeClock } from '../fakes/clock.ts';
import { until } from '../fakes/within.ts';
import { tinyPrelude } from './tiny-prelude.ts';

const SPARE_MS = 1_000;
const SOON_MS = SPARE_MS / 2;

type Context = { clock: FakeClock; isolates: Isolates; made: () => number };

const test = suite<Context>('isolates');
test.before.each((context) => {
  const prelude = createPrelude(tinyPrelude);
  let made = 0;
  const counting: typeof prelude = {
    options: prelude.options,
    async run(isolate, scope) {
      await prelude.run(isolate, scope);
      made++;
    },
  };
  const settings = { ...defaultHostSettings, spareMs: SPARE_MS };
  context.clock = createFakeClock();
  context.isolates = createIsolates(counting, context.clock, settings);
  context.made = () => made;
});

async function use(isolates: Isolates, heapMb: number): Promise<void> {
  const { isolate, ready } = isolates.take(heapMb);
  const { context, boot } = await ready;
  assert.is(boot.typeof, 'function');
  assert.is(await context.eval('typeof __isoletBoot'), 'undefined');
  isolate.dispose();
}

test('after a start one is made for the next, and only one', async (context) => {
  const { clock, isolates, made } = context;
  await use(isolates, 32);
  isolates.refill(32);
  assert.is(made(), 1, 'not at once: modules often start together');
  await clock.advance(SOON_MS);
  await until(5_000, 'the spare one is made', () => made() === 2);
  await use(isolates, 32);
  assert.is(made(), 2, 'it was there');
  await use(isolates, 32);
  assert.is(made(), 3, 'and was one');
});

test('it serves nobody who may have more memory, or less', async ({ clock, isolates, made }) => {
  isolates.refill(32);
  await clock.advance(SOON_MS);
  await use(isolates, 64);
  await use(isolates, 32);
  assert.is(made(), 2);
});

test('it is dropped when nobody comes, and nothing is left to do', async (context) => {
  const { clock, isolates, made } = context;
  isolates.refill(32);
  await clock.advance(SOON_MS);
  await until(5_000, 'the spare one is made', () => made() === 1);
  await clock.advance(SPARE_MS);
  assert.is(clock.pending(), 0);
  await use(isolates, 32);
  assert.is(made(), 2);
});

test.run();
