/** Requests out of an isolate: what the treaty knows passes unchanged, all else is named. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { GuestRequest } from '../../src/core/guest-protocol.ts';
import { type CheckedRequests, checkGuestRequests } from '../../src/host/guest-request-check.ts';

const limits = { requestsMax: 100, nameLengthMax: 20, textLengthMax: 30, jsonDepthMax: 4 };
const none = new Uint8Array();
const check = (value: unknown, bytes = none) =>
  checkGuestRequests(JSON.stringify(value), bytes, limits);
const problemsOf = (result: CheckedRequests) => (result.ok ? [] : result.problems);

const valid: readonly GuestRequest[] = [
  { t: 'send', call: 1, output: 'out', p: { a: '1' }, s: { messageId: 'm' }, b: 'text' },
  { t: 'send', call: 2, output: null, p: {}, s: {}, b: 3 },
  { t: 'ack', ids: [1, 2] },
  { t: 'nack', ids: [3], reason: 'no' },
  { t: 'listen', what: 'inputs' },
  { t: 'unlisten', what: 'methods' },
  { t: 'twin', call: 3 },
  { t: 'report', call: 4, patch: { a: { b: [null] } } },
  {
    t: 'invoke',
    call: 5,
    device: 'd',
    module: null,
    name: 'n',
    payload: null,
    responseTimeoutS: 30,
    connectTimeoutS: 0,
  },
  { t: 'answer', id: 1, status: 200, payload: { ok: true } },
  { t: 'log', level: 'info', text: 'hello' },
  { t: 'log', level: 'info', text: 'hello', fields: { a: { b: [1] } } },
  { t: 'keep', call: 6, ask: { what: 'get', keys: ['a'] } },
  { t: 'keep', call: 7, ask: { what: 'list', from: '', to: null, limit: 3, reverse: true } },
  {
    t: 'keep',
    call: 8,
    ask: {
      what: 'write',
      changes: [
        ['a', '1'],
        ['b', null],
      ],
    },
  },
  { t: 'blob', call: 9, ask: { what: 'list', after: '' } },
  { t: 'blob', call: 10, ask: { what: 'look', name: 'a' } },
  { t: 'blob', call: 11, ask: { what: 'read', name: 'a', version: '1', offset: 0 } },
  { t: 'blob', call: 12, ask: { what: 'begin' } },
  { t: 'blob', call: 13, ask: { what: 'append', upload: 1, base64: 'AA==' } },
  { t: 'blob', call: 14, ask: { what: 'commit', upload: 1, name: 'a' } },
  { t: 'blob', call: 15, ask: { what: 'abort', upload: 1 } },
  { t: 'blob', call: 16, ask: { what: 'delete', name: 'a' } },
  { t: 'metrics', families: [] },
];

const test = suite('guest request check');

test('every request of the treaty passes, with the bodies of the sends', () => {
  const result = check(valid, new Uint8Array([7, 8, 9]));
  assert.ok(result.ok);
  assert.equal(result.requests, valid);
  assert.equal(
    result.bodies.map((body) => body && [...body]),
    [
      [...Buffer.from('text')],
      [7, 8, 9],
      ...Array.from({ length: valid.length - 2 }, () => undefined),
    ],
  );
});

test('a body is a copy', () => {
  const chunk = new Uint8Array([1, 2, 3]);
  const result = check([valid[1]], chunk);
  chunk.fill(0);
  assert.ok(result.ok);
  assert.equal([...(result.bodies[0] as Uint8Array)], [1, 2, 3]);
});

const broken: readonly (readonly [unknown, RegExp])[] = [
  [{ t: 'ack', ids: [1] }, /no list/],
  [['x'], /request 0: is no object/],
  [[null], /is no object/],
  [[{ t: 'toString' }], /unknown type/],
  [[{ t: 'constructor' }], /unknown type/],
  [[{ ...valid[0], extra: 1 }], /wrong fields/],
  [[{ t: 'twin' }], /wrong fields/],
  [[{ t: 'twin', call: -1 }], /call is no count/],
  [[{ t: 'twin', call: 1.5 }], /call is no count/],
  [[{ ...valid[0], output: 5 }], /output is no text/],
  [[{ ...valid[0], output: 'x'.repeat(21) }], /output is too long/],
  [[{ ...valid[0], p: [] }], /p is no object/],
  [[{ ...valid[0], p: { a: 1 } }], /p has a value that is no text/],
  [[{ ...valid[0], b: 1 }], /bodies take 1 bytes, but 0 came/],
  [[{ ...valid[0], b: -1 }], /b is no count/],
  [[{ ...valid[0], b: 9e15 }], /bodies take/],
  [[{ t: 'log', level: 'info', text: '', fields: [] }], /fields is no object/],
  [[{ t: 'log', level: 'info', text: '', fields: { a: [[[[[1]]]]] } }], /nested too deeply/],
  [[{ t: 'keep', call: 1, module: 'other', ask: { what: 'get', keys: [] } }], /wrong fields/],
  [[{ t: 'keep', call: 1, ask: null }], /ask is no object/],
  [[{ t: 'keep', call: 1, ask: { what: 'forget' } }], /ask is none/],
  [[{ t: 'keep', call: 1, ask: { what: 'get', keys: [1] } }], /keys are no list of texts/],
  [[{ t: 'keep', call: 1, ask: { what: 'get', keys: ['\ud800'] } }], /keys are no list of texts/],
  [[{ t: 'keep', call: 1, ask: { what: 'get', keys: Array(1001).fill('a') } }], /keys are no list/],
  [[{ t: 'keep', call: 1, ask: { what: 'write', changes: [['a']] } }], /no list of changes/],
  [[{ t: 'keep', call: 1, ask: { what: 'write', changes: [['a', 1]] } }], /no list of changes/],
  [
    [{ t: 'keep', call: 1, ask: { what: 'list', from: '', to: 1, limit: 1, reverse: false } }],
    /range/,
  ],
  [[{ t: 'blob', call: 1, ask: { what: 'read', name: 'a', version: '1', offset: -1 } }], /offset/],
  [[{ t: 'blob', call: 1, ask: { what: 'look', name: '\ud800' } }], /name is no text/],
  [[{ t: 'blob', call: 1, ask: { what: 'forget' } }], /ask is none/],
  [[{ t: 'metrics', families: [{ name: 'a b' }] }], /a metric has no name/],
  [[{ t: 'ack', ids: ['1'] }], /ids hold something else/],
  [[{ t: 'ack', ids: Array(101).fill(1) }], /too many/],
  [[{ t: 'listen', what: 'everything' }], /no topic/],
  [[{ t: 'report', call: 1, patch: null }], /patch is no object/],
  [[{ t: 'report', call: 1, patch: { a: { b: { c: { d: {} } } } } }], /nested too deeply/],
  [[{ ...valid[8], responseTimeoutS: -1 }], /no time/],
  [[{ t: 'answer', id: 1, status: 'ok', payload: 1 }], /status is no integer/],
  [[{ t: 'log', level: 'fatal', text: '' }], /level is none/],
  [Array(101).fill({ t: 'twin', call: 1 }), /101 requests, of 100 allowed/],
];

for (const [value, expected] of broken) {
  test(`refused: ${JSON.stringify(value).slice(0, 60)}`, () => {
    const result = check(value);
    assert.not.ok(result.ok);
    assert.match(problemsOf(result).join(), expected);
  });
}

test('names that would change an object’s nature are refused', () => {
  for (const text of [
    '[{"t":"report","call":1,"patch":{"a":{"__proto__":{}}}}]',
    '[{"t":"send","call":1,"output":null,"p":{"__proto__":"x"},"s":{},"b":""}]',
  ]) {
    assert.not.ok(checkGuestRequests(text, none, limits).ok);
  }
});

test('numbers JSON cannot hold are refused', () => {
  const text = JSON.stringify([valid[8]]).replace('30', '1e999');
  assert.not.ok(checkGuestRequests(text, none, limits).ok);
});

test('too many words are cut, not refused', () => {
  const result = check([{ t: 'log', level: 'info', text: 'x'.repeat(31) }]);
  assert.ok(result.ok);
  assert.equal(result.requests, [{ t: 'log', level: 'info', text: `${'x'.repeat(30)}…` }]);
});

test('nesting beyond any stack is refused, not walked', () => {
  const deep = `${'['.repeat(1e6)}${']'.repeat(1e6)}`;
  assert.not.ok(
    checkGuestRequests(`[{"t":"answer","id":1,"status":1,"payload":${deep}}]`, none, limits).ok,
  );
  assert.not.ok(checkGuestRequests(deep, none, limits).ok);
});

test('all problems come at once, up to a bound', () => {
  const result = check(Array(20).fill({ t: 'x' }));
  assert.is(problemsOf(result).length, 5);
});

test('whatever comes, the answer is a verdict', () => {
  fc.assert(
    fc.property(fc.oneof(fc.json(), fc.string()), fc.uint8Array(), (text, bytes) => {
      assert.type(checkGuestRequests(text, bytes, limits).ok, 'boolean');
    }),
  );
});

test('one changed field never passes for another type', () => {
  fc.assert(
    fc.property(fc.constantFrom(...valid), fc.jsonValue(), fc.nat(7), (request, value, index) => {
      const field = Object.keys(request)[index];
      if (field === undefined) return;
      const result = check([{ ...request, [field]: value }]);
      if (result.ok) assert.ok(result.requests.length === 1 && result.bodies.length === 1);
    }),
  );
});

test.run();
