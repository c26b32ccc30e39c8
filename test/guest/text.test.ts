/** UTF-8, formatting and paths against Node's own: the guest's are to give the same. */
import path from 'node:path';
import util from 'node:util';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { posix as guestPath } from '../../src/guest/node/path.ts';
import { format } from '../../src/guest/world/format.ts';
import { inspect } from '../../src/guest/world/inspect.ts';
import { TextDecoder as GuestDecoder } from '../../src/guest/world/text-encoding.ts';
import {
  decodeUtf8,
  decodeUtf8Strictly,
  encodeInto,
  encodeUtf8,
} from '../../src/guest/world/utf8.ts';

const test = suite('text');
const anyText = fc.string({ unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) });
/** Mostly the bytes that begin, continue and end sequences. */
const hardBytes = fc
  .uint8Array({ maxLength: 12 })
  .map((bytes) => bytes.map((b) => (b < 64 ? b : b | 0x80)));

test('UTF-8 encodes as Node does', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      assert.equal([...encodeUtf8(text)], [...new TextEncoder().encode(text)]);
      const ours = new Uint8Array(7);
      const theirs = new Uint8Array(7);
      assert.equal(encodeInto(text, 0, ours, 0), new TextEncoder().encodeInto(text, theirs));
      assert.equal(ours, theirs);
    }),
  );
});

test('UTF-8 decodes as Node does, whole and in pieces', () => {
  fc.assert(
    fc.property(hardBytes, fc.nat(12), (bytes, cut) => {
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
      assert.is(decodeUtf8(bytes), text);
      const decoder = new GuestDecoder('utf-8', { ignoreBOM: true });
      const pieces =
        decoder.decode(bytes.subarray(0, cut), { stream: true }) +
        decoder.decode(bytes.subarray(cut));
      assert.is(pieces, text);
      assert.is(decodeUtf8Strictly(bytes) !== undefined, Buffer.from(text).equals(bytes));
    }),
    { numRuns: 2000 },
  );
  const long = 'ä€🌡x'.repeat(10_000);
  assert.is(decodeUtf8(encodeUtf8(long)), long);
});

test('format fills placeholders as Node does', () => {
  class Named {
    toString(): string {
      return 'own text';
    }
  }
  const cases: unknown[][] = [
    [],
    ['plain %s'],
    ['%s %s', 'a'],
    ['%s', 1, 'b', { c: 1 }],
    ['%s %s %s %s', 1n, -0, Symbol('s'), undefined],
    ['%s|%s|%s', null, { a: { b: 1 } }, [1, [2]]],
    ['%s', new Named()],
    ['%s', new Date(0)],
    ['%d %d %d %d', '42', 1n, {}, 'x'],
    ['%i %i %i', 42.9, '7px', -0.5],
    ['%f %f', '1.5', 'x'],
    ['%j %j', { a: 1 }, undefined],
    ['%O', { a: { b: { c: { d: 1 } } } }],
    ['%c styled', 'color: red'],
    ['100%% %s', 'sure'],
    ['%x %s', 'y'],
    [{ a: 1 }, 'text', 1],
  ];
  for (const values of cases) {
    const [first, ...rest] = values;
    const theirs = values.length === 0 ? util.format() : util.format(first, ...rest);
    assert.is(format(...values), theirs);
  }
});

test('inspect prints as Node does', () => {
  class Point {
    x = 1;
    #hidden = 2;
    get sum(): number {
      return this.x + this.#hidden;
    }
  }
  const circular: Record<string, unknown> = { name: 'loop' };
  const cases: unknown[] = [
    'text',
    "it's",
    'it\'s "both"',
    'line\nbreak\u0001\\',
    -0,
    10n,
    Symbol('s'),
    undefined,
    null,
    true,
    {},
    [],
    [1, 'two', [3, [4, [5]]]],
    [undefined, null],
    // oxlint-disable-next-line no-sparse-arrays -- what is tested
    [1, , , 4],
    { a: 1, 'b-c': 'x', [Symbol('k')]: 2, $version: 1 },
    { a: { b: { c: { d: 1 } } } },
    { a: { b: { c: {} } }, list: [[[[1]]]] },
    new Map<unknown, unknown>([['k', { v: 1 }]]),
    new Set([1, 'b']),
    new Map(),
    new Date(0),
    new Date(Number.NaN),
    /re\/g/giu,
    new Point(),
    Object.create(null),
    () => 1,
    function named() {},
    class Thing {},
    {
      get a() {
        return 1;
      },
      set b(_: number) {},
    },
    new Uint8Array([1, 2]),
    [new Error('x').message],
    Object('boxed'),
    { long: 'x'.repeat(60), other: 'y'.repeat(30) },
    Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`key${index}`, index])),
    Array.from({ length: 120 }, (_, index) => `item number ${index}`.padEnd(60, '.')),
    {
      machine: { temperature: 21.5, pressure: 1.1 },
      ambient: { temperature: 20, humidity: 25 },
      timeCreated: '2026-01-01T00:00:00Z',
    },
  ];
  for (const value of cases) assert.is(inspect(value), util.inspect(value));
  assert.is(inspect({ a: { b: 1 } }, { depth: 0 }), '{ a: [Object] }');
  circular['self'] = circular;
  assert.is(inspect(circular), "{ name: 'loop', self: [Circular *1] }");
  const failure = Object.assign(new TypeError('bad'), { code: 'E_BAD' });
  assert.match(inspect(failure), /^TypeError: bad\n {4}at [\s\S]*\{\n {2}code: 'E_BAD'\n\}$/);
});

test('inspect survives anything', () => {
  const hostile = new Proxy(
    {},
    {
      ownKeys() {
        throw new Error('no');
      },
    },
  );
  assert.is(inspect({ hostile }), '{ hostile: [an object that cannot be read] }');
  let deep: unknown = 1;
  for (let i = 0; i < 10_000; i++) deep = [deep];
  assert.ok(inspect(deep, { depth: null }).length < 10_000);
  const wide = Array.from({ length: 100 }, () => Array.from({ length: 100 }, () => ({ a: [1] })));
  assert.ok(inspect(wide, { depth: null }).length < 200_000);
  fc.assert(
    fc.property(fc.anything({ withMap: true, withSet: true, withNullPrototype: true }), (value) => {
      assert.type(inspect(value), 'string');
    }),
  );
});

test('paths are those of node:path/posix', () => {
  const piece = fc.constantFrom(
    '',
    'a',
    'b.txt',
    '.',
    '..',
    '/',
    '//',
    '.hidden',
    'c/',
    '/d/e',
    'x.tar.gz',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 4 }), piece, (pieces, to) => {
      const text = pieces.join('/');
      for (const name of ['normalize', 'dirname', 'basename', 'extname'] as const) {
        assert.is(guestPath[name](text), path.posix[name](text), `${name} of "${text}"`);
      }
      assert.is(guestPath.join(...pieces), path.posix.join(...pieces));
      assert.is(guestPath.resolve('/', ...pieces), path.posix.resolve('/', ...pieces));
      const [from, there] = [`/${text}`, `/${to}`];
      assert.is(guestPath.relative(from, there), path.posix.relative(from, there));
      // Node takes `/..` for a file with the extension `.`; that is not worth copying.
      if (path.posix.basename(text) === '..') return;
      assert.equal(guestPath.parse(text), path.posix.parse(text), `parse "${text}"`);
      assert.is(
        guestPath.format(path.posix.parse(text)),
        path.posix.format(path.posix.parse(text)),
      );
    }),
    { numRuns: 1000 },
  );
});

test.run();
