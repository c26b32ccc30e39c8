import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Json, JsonObject } from '../../src/core/json.ts';
import { parseHubConfig } from '../../src/core/route-config.ts';
import { PRIORITY_NONE } from '../../src/core/route-table.ts';

const test = suite('route config');

const withRoutes = (routes: Json, schemaVersion = '1.1'): JsonObject => ({ schemaVersion, routes });
const all = 'FROM /* INTO $upstream';

test('reads routes as texts and as objects', () => {
  const { config, problems } = parseHubConfig({
    ...withRoutes({
      text: all,
      bare: { route: all },
      whole: { route: all, priority: 0, timeToLiveSecs: 86_400 },
      zero: { route: all, priority: 9, timeToLiveSecs: 0 },
    }),
    storeAndForwardConfiguration: { timeToLiveSecs: 7200, storeLimits: { maxSizeBytes: 1 } },
    mqttBroker: { bridges: [] },
    integrity: {},
  });
  assert.equal(problems, []);
  assert.is(config?.timeToLiveS, 7200);
  const read = Object.entries(config?.routes ?? {}).map(([name, { priority, timeToLiveS }]) => [
    name,
    priority,
    timeToLiveS,
  ]);
  assert.equal(read, [
    ['text', PRIORITY_NONE, 0],
    ['bare', PRIORITY_NONE, 0],
    ['whole', 0, 86_400],
    ['zero', 9, 0],
  ]);
});

test('knows the schemas 1.0 to 1.3', () => {
  for (const version of ['1.0', '1.1', '1.2', '1.3', '1.1.0', '1.0.0']) {
    assert.equal(parseHubConfig(withRoutes({ a: all }, version)).problems, [], version);
  }
  for (const version of ['1', '1.4', '2.0', '0.1', '', '1.10', 'x']) {
    const { config, problems } = parseHubConfig(withRoutes({ a: all }, version));
    assert.is(config, undefined, version);
    assert.match(problems[0] as string, /^schemaVersion must be "1\.0" to "1\.3"/);
  }
  assert.is(parseHubConfig({ routes: {} }).config, undefined);
});

test('schema 1.0 knows texts only, and passes blank ones over', () => {
  const { config, problems } = parseHubConfig(
    withRoutes({ blank: ' ', text: all, object: { route: all } }, '1.0'),
  );
  assert.equal(Object.keys(config?.routes ?? {}), ['text']);
  assert.equal(problems, [
    'route "object": schema 1.0 knows routes as texts only: set schemaVersion to "1.1" for this form',
  ]);
  assert.is(parseHubConfig(withRoutes({ blank: ' ' })).problems.length, 1);
});

test('a bad route costs only itself, and says where it is wrong and what to write', () => {
  const { config, problems } = parseHubConfig(
    withRoutes({
      good: all,
      bad: 'FROM /messages INTO nowhere',
      wrong: 'FROM /*\nWHERE a == 5\nINTO $upstream',
      worse: { route: all, priority: 12, timeToLiveSecs: -1 },
      odd: 5,
      ['__proto__']: 'x',
    }),
  );
  assert.equal(Object.keys(config?.routes ?? {}), ['good']);
  assert.equal(problems, [
    'route "bad": Syntax error: expected a sink after INTO, found `nowhere`, at column 21: the sinks are $upstream and BrokeredEndpoint("/modules/<module>/inputs/<input>")',
    'route "wrong": Syntax error, at line 2, column 10: equality is one sign: write `a = b`',
    'route "worse": priority must be a whole number from 0 to 9, it is 12',
    'route "worse": timeToLiveSecs must be a whole number from 0 to 4294967295, it is -1',
    'route "odd": it must be a text such as "FROM /messages/* INTO $upstream", or an object with "route"',
    'route "__proto__": Syntax error: expected FROM, found `x`, at column 1: a route reads FROM … [WHERE …] INTO …',
  ]);
});

test('what is wrong outside the routes refuses the whole, all problems at once', () => {
  const { config, problems } = parseHubConfig({
    schemaVersion: '3',
    routes: [],
    storeAndForwardConfiguration: { timeToLiveSecs: '7200' },
  });
  assert.is(config, undefined);
  assert.is(problems.length, 3);
});

test('a time to live left out is none, 0 is 0', () => {
  const read = (storeAndForwardConfiguration: Json): number | undefined =>
    parseHubConfig({ schemaVersion: '1.0', storeAndForwardConfiguration }).config?.timeToLiveS;
  assert.is(parseHubConfig({ schemaVersion: '1.0' }).config?.timeToLiveS, Infinity);
  assert.is(read(null), Infinity);
  assert.is(read({}), Infinity);
  assert.is(read({ timeToLiveSecs: -1 }), Infinity);
  assert.is(read({ timeToLiveSecs: 7200 }), 7200);
  assert.is(read({ timeToLiveSecs: 0 }), 0);
  assert.is(read({ timeToLiveSecs: 1.5 }), undefined);
  assert.is(read('7200'), undefined);
});

test('reads by the letter of IoT Edge when asked to', () => {
  const desired = withRoutes({ a: 'FROM /* WHERE true AND $body.x INTO $upstream' });
  assert.is(parseHubConfig(desired).problems.length, 0);
  assert.is(parseHubConfig(desired, { compat: 'iotedge' }).problems.length, 1);
});

test('any document is an answer, never an exception', () => {
  const value = fc.jsonValue().map((json) => json as Json);
  const desired = fc.record(
    {
      schemaVersion: fc.oneof(fc.constant('1.1'), value),
      routes: fc.oneof(value, fc.dictionary(fc.string(), value)),
      storeAndForwardConfiguration: value,
    },
    { requiredKeys: [], noNullPrototype: true },
  );
  fc.assert(
    fc.property(desired, (section) => {
      const { config, problems } = parseHubConfig(section as JsonObject);
      assert.ok(config !== undefined || problems.length > 0);
    }),
  );
});

test.run();
