/** `kv` of 'isolet' in an isolate: values, ranges, transactions. */
import { deepStrictEqual } from 'node:assert/strict';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createDeskKeeper } from '../../build/develop/desk-kept.ts';
import { readValue, writeValue } from '../../src/guest/isolet/kept-value.ts';
import { withKeeping } from './kept-box.ts';

const test = suite('kv');
const HEAD = `
import { kv } from 'isolet';
const say = (value) => console.log(JSON.stringify(value));
const failure = (asked) => asked.then(() => 'fine', (error) => error.message);
`;

async function lines(code: string, keeper = createDeskKeeper()): Promise<unknown[]> {
  let said: unknown[] = [];
  const source = `${HEAD}(async () => {${code}})().catch((error) => say(error.stack)).then(() => console.log('"end"'));`;
  await withKeeping(
    source,
    async (box) => {
      await box.log('"end"');
      said = box.logs().map((line) => JSON.parse(line) as unknown);
    },
    keeper,
  );
  return said.slice(0, -1);
}

test('any value comes back as it went', () => {
  const key = fc.oneof(
    fc.string(),
    fc.constantFrom('$bytes', '$$date', '$', '__proto__', 'toJSON'),
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, true, false),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0),
      fc.string({ unit: 'binary' }),
      fc.date({ noInvalidDate: true }),
      fc.uint8Array(),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  }));
  fc.assert(
    fc.property(value, (one) => {
      deepStrictEqual(readValue(writeValue(one)), one);
    }),
  );
});

test('values come back as they went', async () => {
  const said = await lines(`
    const value = { text: 'é', list: [1, null, true], bytes: new Uint8Array([0, 255]), at: new Date(7),
      '$bytes': 'no bytes', '$$date': 1, nothing: undefined, ['__proto__']: { own: 1 }, buffer: Buffer.from('hi') };
    await kv.set('k', value);
    const found = await kv.get('k');
    say([found.text, found.list, [...found.bytes], found.at instanceof Date && found.at.getTime()]);
    say([found['$bytes'], found['$$date'], 'nothing' in found, Object.keys(found).includes('__proto__')]);
    say([new TextDecoder().decode(found.buffer), await kv.get('none') === undefined]);
    await kv.delete('k');
    say(await kv.get('k') === undefined);`);
  assert.equal(said, [
    ['é', [1, null, true], [0, 255], 7],
    ['no bytes', 1, false, true],
    ['hi', true],
    true,
  ]);
});

test('what would come back as something else is refused with its place', async () => {
  const said = (await lines(`
    class Pump {}
    const round = {}; round.round = round;
    for (const bad of [undefined, () => 1, NaN, 1n, { a: [new Pump()] }, new Map(), round, new Date(NaN)]) {
      say(await failure(kv.set('k', bad)));
    }
    for (const key of ['', 7, '\\0own', '\\ud800', 'x'.repeat(513)]) say(await failure(kv.set(key, 1)));
    say(await failure(kv.set('k', 'x'.repeat(262_143))));
    say(await failure(kv.list({ limit: 0 })));`)) as string[];
  const expected: readonly RegExp[] = [
    /^value is of type undefined/,
    /^value is of type function/,
    /^value is NaN/,
    /^value is of type bigint/,
    /^value\.a\[0\] is an object of Pump/,
    /^value is an object of Map/,
    /^value(\.round)+ is nested more than 64 deep, or in itself/,
    /^value is no valid date/,
    ...Array<RegExp>(4).fill(/^A key must be a text/),
    /^A key may have 512 bytes; this one has 513/,
    /takes 262145 characters, and 262144 is the most/,
    /must be a whole number above 0/,
  ];
  assert.is(said.length, expected.length);
  for (const [at, fits] of expected.entries()) assert.match(said[at] ?? '', fits);
});

test('lists are ranges in the order of keys, over pages', async () => {
  const said = await lines(`
    const keys = (entries) => entries.map(({ key }) => key);
    for (const key of ['b/2', 'a', 'b/1', 'b', 'c', 'b/\\u{1f600}', 'b/\\uffee']) await kv.set(key, key.length);
    say(keys(await kv.list()));
    say(keys(await kv.list({ prefix: 'b/' })));
    say(keys(await kv.list({ prefix: 'b', start: 'b/', end: 'b/2', reverse: true })));
    say(keys(await kv.list({ reverse: true, limit: 2 })));
    await kv.transaction((t) => { for (let i = 0; i < 30; i++) t.set('big' + String(i).padStart(2, '0'), 'x'.repeat(100_000)); });
    say([keys(await kv.list({ prefix: 'big' })).length, keys(await kv.list({ prefix: 'big', reverse: true, limit: 12 })).at(-1)]);`);
  assert.equal(said, [
    ['a', 'b', 'b/1', 'b/2', 'b/\uffee', 'b/\u{1f600}', 'c'],
    ['b/1', 'b/2', 'b/\uffee', 'b/\u{1f600}'],
    ['b/1'],
    ['c', 'b/\u{1f600}'],
    [30, 'big18'],
  ]);
});

test('a transaction is all or nothing, sees its own changes, and runs again when others changed what it read', async () => {
  const said = await lines(`
    await kv.set('a', 1); await kv.set('b', 2); await kv.set('c', 3);
    say(await failure(kv.transaction((t) => { t.set('a', 9); t.delete('b'); throw new Error('no') })));
    say([await kv.get('a'), await kv.get('b')]);
    let kept;
    say(await kv.transaction(async (t) => {
      kept = t;
      t.set('a', 10); t.delete('b'); t.set('aa', 0);
      return [await t.get('a'), await t.get('b') === undefined, (await t.list({ limit: 2 })).map(({ key }) => key), (await kv.list()).length];
    }));
    say((await kv.list()).map(({ key, value }) => key + value));
    say(await failure((async () => kept.set('x', 1))()));
    await Promise.all(Array.from({ length: 50 }, () => kv.transaction(async (t) => t.set('n', ((await t.get('n')) ?? 0) + 1))));
    let runs = 0;
    await kv.transaction(async (t) => {
      const all = await t.list({ prefix: 'p/' });
      if (++runs === 1) await kv.set('p/new', 1);
      t.set('count', all.length);
    });
    say([await kv.get('n'), runs, await kv.get('count')]);
    say(await failure(kv.transaction(async (t) => { await t.get('n'); await kv.set('n', 0); })));`);
  assert.equal(said.slice(0, -1), [
    'no',
    [1, 2],
    [10, true, ['a', 'aa'], 3],
    ['a10', 'aa0', 'c3'],
    'This transaction is over.',
    [50, 2, 1],
  ]);
  assert.match(String(said.at(-1)), /^A transaction ran 32 times/);
});

test('a transaction within another comes to an end', async () => {
  const said = await lines(`
    const add = (t, key) => t.get(key).then((value) => t.set(key, (value ?? 0) + 1));
    const outer = kv.transaction(async (t) => {
      await add(t, 'a');
      await kv.transaction((u) => add(u, 'b'));
    });
    await Promise.all([outer, kv.set('a', 5), kv.transaction((t) => add(t, 'b')), kv.transaction((t) => add(t, 'b'))]);
    say([await kv.get('a'), await kv.get('b') >= 3]);`);
  assert.equal(said, [[6, true]]);
});

test('another start of the module finds what the one before kept', async () => {
  const keeper = createDeskKeeper();
  await lines(`await kv.set('k', [1, 2])`, keeper);
  assert.equal(await lines(`say(await kv.get('k'))`, keeper), [[1, 2]]);
});

test.run();
