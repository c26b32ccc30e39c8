/** What modules keep: limits, order, and each module for itself. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fault } from '../../src/core/fault.ts';
import { KEPT_LIMITS } from '../../src/core/kept.ts';
import { createKeeper } from '../../src/supervisor/keeper.ts';
import { createMemoryStore } from '../fakes/store.ts';
import { within } from '../fakes/within.ts';

const test = suite('keeper');
const write = (...changes: (readonly [string, string | null])[]) =>
  ({ what: 'write', changes }) as const;
const all = { what: 'list', from: '', to: null, limit: 100, reverse: false } as const;
const codeOf = async (asked: Promise<unknown>): Promise<unknown> =>
  within(2_000, 'an answer', asked).then(
    () => 'fine',
    (cause: Fault) => cause.code,
  );

test('a module reads what it wrote, and nothing of another’s', async () => {
  const store = createMemoryStore();
  const keeper = createKeeper(store, {});
  await keeper.carryOut('one', write(['k', '1'], ['l', '2']), {});
  await keeper.carryOut('two', write(['k', 'other']), {});
  assert.equal(await keeper.carryOut('one', { what: 'get', keys: ['k', 'none'] }, {}), ['1', null]);
  assert.equal(await keeper.carryOut('two', all, {}), { entries: [['k', 'other']], more: false });
  assert.equal(keeper.bytes('one'), 4);
  await keeper.forget('one');
  assert.equal(await keeper.carryOut('one', all, {}), { entries: [], more: false });
  assert.equal(keeper.bytes('one'), 0);
  assert.equal(await keeper.carryOut('two', { what: 'get', keys: ['k'] }, {}), ['other']);
});

test('what does not fit is refused whole; what is replaced or deleted makes room', async () => {
  const store = createMemoryStore();
  const keeper = createKeeper(store, {});
  const limits = { keptBytesMax: 30 };
  const put = (key: string, length: number) =>
    keeper.carryOut('m', write([key, 'x'.repeat(length)]), limits);
  await put('a', 20);
  assert.is(await codeOf(put('b', 10)), 'KEPT_FULL');
  // The same again and again is no more than once.
  for (let round = 0; round < 10; round++) await put('a', 29);
  assert.is(await codeOf(put('a', 30)), 'KEPT_FULL');
  assert.is(await codeOf(keeper.carryOut('m', write(['a', null], ['b', 'x']), limits)), 'fine');
  assert.is(await codeOf(put('c', 27)), 'fine');
  assert.is(
    await codeOf(keeper.carryOut('m', write(['d', '1'], ['e', '2']), { keptCountMax: 3 })),
    'KEPT_FULL',
  );
  assert.is(
    await codeOf(keeper.carryOut('m', write(['d', '1']), { storageBytesMax: 10 })),
    'KEPT_FULL',
  );
  assert.equal(await keeper.carryOut('m', all, limits), {
    entries: [
      ['b', 'x'],
      ['c', 'x'.repeat(27)],
    ],
    more: false,
  });
});

test('what is asked while it measures keeps its place', async () => {
  const keeper = createKeeper(createMemoryStore(), {});
  const limits = { keptCountMax: 2 };
  const answers = [
    keeper.carryOut('m', write(['a', '1'], ['b', '1']), limits),
    keeper.carryOut('m', write(['a', '2'], ['b', '2']), limits),
    keeper.carryOut('m', { what: 'get', keys: ['a'] }, limits),
    keeper.carryOut('m', write(['a', '3'], ['b', '3']), limits),
    keeper.carryOut('m', { what: 'get', keys: ['a'] }, limits),
    keeper.carryOut('m', write(['c', '3']), limits),
    keeper.carryOut('m', write(['a', null]), limits),
    keeper.carryOut('m', write(['c', '4']), limits),
    keeper.carryOut('m', all, limits),
  ];
  const told = await within(2_000, 'the answers', Promise.allSettled(answers));
  assert.equal(
    told.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Fault).code)),
    [
      null,
      null,
      ['2'],
      null,
      ['3'],
      'KEPT_FULL',
      null,
      null,
      {
        entries: [
          ['b', '3'],
          ['c', '4'],
        ],
        more: false,
      },
    ],
  );
});

test('keys, values and transactions have bounds', async () => {
  const keeper = createKeeper(createMemoryStore(), {});
  const { keyBytesMax, valueLengthMax, changesLengthMax } = KEPT_LIMITS;
  const codes = [
    write(['', '1']),
    write(['ö'.repeat(keyBytesMax / 2), '1']),
    write(['ö'.repeat(keyBytesMax / 2 + 1), '1']),
    write(['k', 'x'.repeat(valueLengthMax)]),
    write(['k', 'x'.repeat(valueLengthMax + 1)]),
    write(
      ...Array.from(
        { length: changesLengthMax / valueLengthMax + 1 },
        (_, at) => [`${at}`, 'x'.repeat(valueLengthMax)] as const,
      ),
    ),
    { ...all, limit: 0 },
  ].map((ask) => codeOf(keeper.carryOut('m', ask, {})));
  const bad = 'REQUEST_INVALID';
  assert.equal(await Promise.all(codes), [bad, 'fine', bad, 'fine', bad, bad, bad]);
});

test.run();
