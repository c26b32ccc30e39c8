/** The query language: what it reads, what it answers, what it refuses. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../src/core/json.ts';
import { HubError } from '../../src/emulator/hub-error.ts';
import { answerQuery, type QueryPage } from '../../src/emulator/query.ts';

const twins: readonly JsonObject[] = [
  {
    deviceId: 'a',
    status: 'enabled',
    capabilities: { iotEdge: true },
    tags: { site: "O'Hare", floor: 1, 'odd name': true, list: ['x', { y: 1 }] },
    parentScopes: ['scope-1'],
    properties: { desired: { $version: 3 }, reported: { temperature: 20, $version: 3 } },
    configurations: { 'base-1.0': { status: 'Applied' } },
  },
  {
    deviceId: 'b',
    status: 'enabled',
    capabilities: { iotEdge: false },
    tags: { site: 'barn', floor: 2 },
    properties: { desired: { $version: 1 }, reported: { temperature: 30 } },
  },
  {
    deviceId: 'c',
    status: 'disabled',
    capabilities: { iotEdge: false },
    tags: { site: 'barn' },
    properties: { desired: { $version: 1 }, reported: { temperature: 'hot', nested: { deep: 1 } } },
  },
];

function ask(text: string, size = 100, continuation?: string): QueryPage {
  return answerQuery(text, { size, continuation }, (from) =>
    from === 'devices'
      ? twins.map((twin) => ({ key: `${String(twin['deviceId'])}\u0000`, twin }))
      : [{ key: 'a\u0000m', twin: { deviceId: 'a', moduleId: 'm' } }],
  );
}

const idsWhere = (condition: string): string =>
  ask(`SELECT deviceId FROM devices WHERE ${condition}`)
    .items.map((item) => (item as JsonObject)['deviceId'])
    .join('');

const test = suite('queries');

test('conditions', () => {
  const cases: Readonly<Record<string, string>> = {
    "deviceId = 'a'": 'a',
    "DEVICEID = 'a' or deviceid='b'": 'ab',
    "deviceId != 'a'": 'bc',
    "deviceId <> 'a' AND NOT status = 'disabled'": 'b',
    "deviceId IN ['a', 'c']": 'ac',
    "deviceId NIN ['a', 'c']": 'b',
    "deviceId NOT IN ['a']": 'bc',
    'deviceId IN []': '',
    'tags.floor >= 1': 'ab',
    'tags.floor > 1': 'b',
    'tags.floor != 1': 'b',
    'NOT tags.floor = 1': 'b',
    'tags.floor NIN [1]': 'b',
    'is_defined(tags.floor)': 'ab',
    'NOT IS_DEFINED(tags.floor)': 'c',
    'tags.floor * 2 + 1 = 5': 'b',
    'tags.floor - 1 = 0 AND -tags.floor = -1': 'a',
    "tags.site = 'O''Hare'": 'a',
    "tags.site = 'O\\'Hare'": 'a',
    'tags.site = "O\'Hare"': 'a',
    "STARTS_WITH(tags.site, 'ba')": 'bc',
    "startswith(tags.site, 'ba') and ENDSWITH(tags.site, 'rn')": 'bc',
    "CONTAINS(UPPER(tags.site), 'HARE')": 'a',
    'properties.reported.temperature > 25': 'b',
    'is_string(properties.reported.temperature)': 'c',
    'is_number(properties.reported.temperature)': 'ab',
    'IS_OBJECT(properties.reported.nested)': 'c',
    'is_array(tags.list) and is_primitive(tags.floor)': 'a',
    "array_contains(parentScopes, 'scope-1')": 'a',
    'capabilities.iotEdge = true': 'a',
    'capabilities.iotEdge': 'a',
    'properties.desired.$version = 3': 'a',
    'properties.desired.$version = properties.reported.$version': 'a',
    "configurations.[[base-1.0]].status = 'Applied'": 'a',
    'tags.[[odd name]] = true': 'a',
    "tags.site = 'barn' AND (tags.floor = 2 OR status = 'disabled')": 'bc',
    "tags.site = 'barn' AND tags.floor = 2 OR status = 'disabled'": 'bc',
    'tags.nowhere = null': '',
    true: 'abc',
    'tags.toString = 1 or tags.__proto__ = 1': '',
  };
  for (const [condition, ids] of Object.entries(cases)) {
    assert.is(idsWhere(condition), ids, condition);
  }
});

test('columns, aggregates and groups', () => {
  const items = (text: string) => ask(text).items;
  assert.equal(items("SELECT deviceId AS id, tags.site FROM devices WHERE deviceId = 'a'"), [
    { id: 'a', site: "O'Hare" },
  ]);
  assert.equal(items('select count() as numberOfDevices from devices'), [{ numberOfDevices: 3 }]);
  assert.equal(items("SELECT COUNT() AS n FROM devices WHERE deviceId = 'none'"), [{ n: 0 }]);
  assert.equal(items('SELECT tags.site AS site, COUNT() AS n FROM devices GROUP BY tags.site'), [
    { site: "O'Hare", n: 1 },
    { site: 'barn', n: 2 },
  ]);
  assert.equal(items('SELECT tags.floor, COUNT() AS n FROM devices GROUP BY tags.floor'), [
    { floor: 1, n: 1 },
    { floor: 2, n: 1 },
    { n: 1 },
  ]);
  const value = 'properties.reported.temperature';
  assert.equal(
    items(
      `SELECT AVG(${value}) AS avg, SUM(${value}) AS sum, MIN(${value}) AS min, MAX(${value}) AS max, COUNT(${value}) AS n FROM devices`,
    ),
    [{ avg: 25, sum: 50, min: 20, max: 30, n: 3 }],
  );
  assert.is(ask('SELECT * FROM devices').itemType, 'twin');
  assert.is(ask('SELECT * FROM devices').items[0], twins[0]);
  assert.is(ask('SELECT deviceId FROM devices').itemType, 'raw');
  assert.equal(items("SELECT * FROM devices.modules WHERE moduleId = 'm'"), [
    { deviceId: 'a', moduleId: 'm' },
  ]);
});

test('pages go on where they ended, and TOP counts over all of them', () => {
  const text = 'SELECT deviceId FROM devices';
  const first = ask(text, 2);
  assert.is(first.items.length, 2);
  const second = ask(text, 2, first.continuation);
  assert.equal(second.items, [{ deviceId: 'c' }]);
  assert.is(second.continuation, undefined);
  assert.is(ask(text, 3).continuation, undefined);
  assert.is(ask('SELECT TOP 2 deviceId FROM devices').items.length, 2);
  assert.is(ask('SELECT TOP 2 deviceId FROM devices').continuation, undefined);
  const top = ask('SELECT TOP 2 * FROM devices', 1);
  assert.is(ask('SELECT TOP 2 * FROM devices', 1, top.continuation).continuation, undefined);
  assert.match(
    refusal(() => ask(text, 2, 'nonsense')),
    /no token of this hub/,
  );
  assert.match(
    refusal(() => ask('SELECT * FROM devices', 2, first.continuation)),
    /another query/,
  );
});

test('what it refuses, it explains', () => {
  const cases: Readonly<Record<string, RegExp>> = {
    '': /character 1: there must be SELECT, there is the end/,
    'DELETE FROM devices': /must be SELECT, there is "DELETE"/,
    'SELECT * FROM devices.jobs': /runs no jobs/,
    'SELECT * FROM machines': /no collection machines: known are devices/,
    'SELECT * FROM devices WHERE': /must be a value, there is the end/,
    "SELECT * FROM devices WHERE deviceId = 'a": /character 40: "'" begins nothing/,
    "SELECT * FROM devices WHERE deviceId == 'a'":
      /character 39: there must be a value, there is "="/,
    'SELECT * FROM devices ORDER BY deviceId': /the hub cannot sort/,
    'SELECT * FROM devices WHERE guess(deviceId)': /no function guess: there are ABS/,
    'SELECT * FROM devices WHERE lower()': /lower cannot be called with 0 values/,
    'SELECT * FROM devices GROUP BY tags.a': /cannot be grouped/,
    'SELECT deviceId, COUNT() FROM devices': /deviceId stands beside an aggregate/,
    'SELECT TOP 0 * FROM devices': /a whole number above 0/,
    [`SELECT * FROM devices WHERE ${'('.repeat(200)}true${')'.repeat(200)}`]: /nested deeper than/,
    [`SELECT * FROM devices WHERE ${'NOT '.repeat(200)}true`]: /nested deeper than/,
    [`SELECT * FROM devices WHERE deviceId = '${'x'.repeat(8_200)}'`]: /at most 8192/,
  };
  for (const [text, problem] of Object.entries(cases)) {
    assert.match(
      refusal(() => ask(text)),
      problem,
      text,
    );
  }
});

test('whatever somebody writes, it answers or refuses', () => {
  const word = fc.constantFrom(
    ...`SELECT * FROM devices WHERE AND OR NOT IN NIN ( ) [ ] , . = < - 1 'x' "y" tags [[a]] COUNT () GROUP BY AS TOP is_defined $version`.split(
      ' ',
    ),
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 30 }), fc.string(), (words, tail) => {
      try {
        ask(`SELECT * FROM devices WHERE ${words.join(' ')}${tail}`);
      } catch (cause) {
        assert.instance(cause, HubError);
        assert.is((cause as HubError).errorName, 'ArgumentInvalid');
      }
    }),
    { numRuns: 500 },
  );
});

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (cause) {
    assert.instance(cause, HubError);
    return (cause as HubError).message;
  }
  throw new Error('it was not refused');
}

test.run();
