import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { viewMessage } from '../../src/core/condition-message.ts';
import type { Message } from '../../src/core/message.ts';
import { normaliseSource, parseRoute } from '../../src/core/route.ts';
import {
  compileRoutes,
  PRIORITY_NONE,
  type RouteEntry,
  type RouteTarget,
} from '../../src/core/route-table.ts';

const test = suite('route table');

function entry(text: string, priority = PRIORITY_NONE, timeToLiveS = 0): RouteEntry {
  const parsed = parseRoute(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return { route: parsed.route, priority, timeToLiveS };
}

const message = (source: string, body: unknown = {}): Message => ({
  source,
  sender: 'm',
  body: new TextEncoder().encode(JSON.stringify(body)),
  properties: { kind: 'alert' },
  system: { contentType: 'application/json', contentEncoding: 'utf-8' },
});

const output = '/messages/modules/m/outputs/o';

test('one copy per endpoint: the most urgent route wins and brings its time to live', () => {
  const table = compileRoutes({
    slow: entry('FROM /* INTO $upstream'),
    fast: entry('FROM /messages/modules/m/* INTO $upstream', 2, 60),
    side: entry('FROM /* INTO BrokeredEndpoint("/modules/n/inputs/in")'),
  });
  assert.equal(table.match(message(output)), [
    { endpoint: '$upstream', priority: 2, timeToLiveS: 60 },
    { endpoint: 'n/in', priority: PRIORITY_NONE, timeToLiveS: 0 },
  ]);
  assert.equal(table.match(message('/messages')), [
    { endpoint: '$upstream', priority: PRIORITY_NONE, timeToLiveS: 0 },
    { endpoint: 'n/in', priority: PRIORITY_NONE, timeToLiveS: 0 },
  ]);
});

test('a route whose condition is not true leaves the endpoint to the next', () => {
  const table = compileRoutes({
    all: entry('FROM /* INTO $upstream', 9, 10),
    hot: entry('FROM /* WHERE $body.t > 30 INTO $upstream', 0, 60),
  });
  assert.equal(table.match(message(output, { t: 31 })), [
    { endpoint: '$upstream', priority: 0, timeToLiveS: 60 },
  ]);
  assert.equal(table.match(message(output, { t: 30 })), [
    { endpoint: '$upstream', priority: 9, timeToLiveS: 10 },
  ]);
  assert.equal(table.match(message(output, { t: 'warm' })), [
    { endpoint: '$upstream', priority: 9, timeToLiveS: 10 },
  ]);
});

test('of two routes with one priority the first counts', () => {
  const table = compileRoutes({
    first: entry('FROM /* INTO $upstream', 1, 10),
    second: entry('FROM /messages/* INTO $upstream', 1, 20),
  });
  assert.is(table.match(message(output))[0]?.timeToLiveS, 10);
});

test('no route, no target', () => {
  assert.equal(compileRoutes({}).match(message(output)), []);
  const table = compileRoutes({ twin: entry('FROM /twinChangeNotifications INTO $upstream') });
  assert.equal(table.match(message(output)), []);
});

test('more sources than are remembered are still matched', () => {
  const table = compileRoutes({ r: entry('FROM /messages/modules/m/* INTO $upstream') });
  for (let index = 0; index < 2_500; index++) {
    const { length } = table.match(message(`/messages/modules/m/outputs/${index}`));
    assert.is(length, 1);
    assert.is(table.match(message(`/messages/modules/n/outputs/${index}`)).length, 0);
  }
});

test('the names a module chooses do not cost time out of proportion', () => {
  const table = compileRoutes({ r: entry('FROM /messages/modules/m/* INTO $upstream') });
  const startedAt = performance.now();
  for (const letter of ['*', '/', ' ']) {
    table.match(message(`/messages/modules/m/outputs/${letter.repeat(200_000)}x`));
  }
  // Quadratic, this takes a minute.
  assert.ok(performance.now() - startedAt < 5_000);
});

/** §6.10 word for word: every route, its source and condition; then the lowest number per endpoint. */
function naive(entries: readonly RouteEntry[], given: Message): readonly RouteTarget[] {
  const best = new Map<string, RouteTarget>();
  for (const { route, priority, timeToLiveS } of entries) {
    if (!normaliseSource(given.source).startsWith(route.source)) continue;
    if (route.condition && route.condition.evaluate(viewMessage(given)) !== true) continue;
    const before = best.get(route.endpoint);
    if (before && before.priority <= priority) continue;
    best.set(route.endpoint, { endpoint: route.endpoint, priority, timeToLiveS });
  }
  return [...best.values()];
}

const anyEntry = fc
  .tuple(
    fc.constantFrom(
      '/*',
      '/messages/*',
      '/messages/modules/m',
      '/messages/modules/M/outputs/o',
      '/x',
    ),
    fc.constantFrom(
      '',
      ' WHERE $body.t > 3',
      " WHERE KIND = 'alert' AND $body.t < 5",
      ' WHERE false',
      ' WHERE $body.t = null OR $body.t > 7',
    ),
    fc.constantFrom(
      '$upstream',
      ...['a', 'b'].map((name) => `BrokeredEndpoint("/modules/${name}/inputs/i")`),
    ),
    fc.integer({ min: 0, max: 3 }),
    fc.integer({ min: 0, max: 9 }),
  )
  .map(([source, where, sink, priority, timeToLiveS]) =>
    entry(`FROM ${source}${where} INTO ${sink}`, priority, timeToLiveS),
  );
const anyMessage = fc
  .tuple(
    fc.constantFrom('/messages', '/messages/modules/m', output, '/twinChangeNotifications'),
    fc.oneof(fc.integer({ min: 0, max: 10 }), fc.constantFrom(null, 'x', undefined)),
  )
  .map(([source, t]) => message(source, { t }));

test('the table answers what trying every route would', () => {
  const byEndpoint = (a: RouteTarget, b: RouteTarget): number => (a.endpoint < b.endpoint ? -1 : 1);
  fc.assert(
    fc.property(
      fc.array(anyEntry, { maxLength: 8 }),
      fc.array(anyMessage, { minLength: 1, maxLength: 6 }),
      (entries, messages) => {
        const table = compileRoutes(Object.fromEntries(entries.entries()));
        for (const given of messages) {
          const wanted = naive(entries, given).toSorted(byEndpoint);
          assert.equal(table.match(given).toSorted(byEndpoint), wanted);
        }
      },
    ),
    { numRuns: 500 },
  );
});

test.run();
