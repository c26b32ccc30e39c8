/** Twins as documents: versions, metadata, notices, limits. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../src/core/json.ts';
import { sameJson } from '../../src/core/twin.ts';
import {
  deviceView,
  etagText,
  mergeDeleting,
  newTwin,
  patchSection,
  replacementPatch,
  replaceSection,
  serviceView,
} from '../../src/emulator/twin-document.ts';
import { sizeProblem, twinProblems } from '../../src/emulator/twin-limits.ts';

const test = suite('twin documents');
const first = '2026-01-01T00:00:00.000Z';
const later = '2026-01-02T00:00:00.000Z';

const properties = fc.dictionary(
  fc.constantFrom('a', 'b', 'c'),
  fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.integer(),
      fc.constantFrom('x', ''),
      fc.array(fc.integer(), { maxLength: 2 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('value'), { maxKeys: 3 }),
    ),
  })).value,
) as fc.Arbitrary<JsonObject>;

test('a patch counts, stamps what it names, and unstamps what it deletes', () => {
  const { desired } = newTwin(first);
  const one = patchSection(desired, { a: { b: 1, c: 2 }, d: 3 }, first, 'desired');
  const two = patchSection(one, { a: { b: null, n: { gone: null } }, x: null }, later, 'desired');
  assert.equal(two.properties, { a: { c: 2, n: {} }, d: 3 });
  assert.is(two.version, 3);
  assert.equal(two.metadata, {
    $lastUpdated: later,
    $lastUpdatedVersion: 3,
    d: { $lastUpdated: first, $lastUpdatedVersion: 2 },
    a: {
      $lastUpdated: later,
      $lastUpdatedVersion: 3,
      c: { $lastUpdated: first, $lastUpdatedVersion: 2 },
      n: { $lastUpdated: later, $lastUpdatedVersion: 3 },
    },
  });
});

test('devices see versions, services see metadata and etags too', () => {
  const twin = newTwin(first);
  assert.equal(deviceView(twin), { desired: { $version: 1 }, reported: { $version: 1 } });
  assert.equal(serviceView(twin), {
    etag: 'AAAAAAAAAAE=',
    version: 1,
    tags: {},
    properties: {
      desired: { $version: 1, $metadata: { $lastUpdated: first, $lastUpdatedVersion: 1 } },
      reported: { $version: 1, $metadata: { $lastUpdated: first } },
    },
  });
  assert.is(etagText(255), 'AAAAAAAAAP8=');
});

test('whoever merges the notice of a replacement has the new section', () => {
  fc.assert(
    fc.property(properties, properties, (from, to) => {
      const section = replaceSection(
        { ...newTwin(first).desired, properties: from },
        to,
        later,
        'desired',
      );
      const notice = replacementPatch(from, section.properties);
      assert.ok(sameJson(mergeDeleting(from, notice), section.properties));
    }),
  );
});

test('metadata mirrors the properties', () => {
  const mirrors = (values: JsonObject, metadata: JsonObject): boolean =>
    sameJson(
      Object.keys(values).sort(),
      Object.keys(metadata)
        .filter((key) => !key.startsWith('$'))
        .sort(),
    ) &&
    Object.entries(values).every(
      ([key, value]) =>
        typeof value !== 'object' ||
        Array.isArray(value) ||
        mirrors(value as JsonObject, metadata[key] as JsonObject),
    );
  fc.assert(
    fc.property(fc.array(properties, { maxLength: 4 }), (patches) => {
      let section = newTwin(first).reported;
      for (const patch of patches) section = patchSection(section, patch, later, 'reported');
      assert.is(section.version, 1 + patches.length);
      assert.ok(mirrors(section.properties, section.metadata));
    }),
  );
});

test('limits: all problems are told', () => {
  const deep: JsonObject = JSON.parse('{"a":'.repeat(12) + '1' + '}'.repeat(12));
  assert.equal(twinProblems({ ok: 'x', list: [1, { a: 'b' }], gone: null, 'o#k': 1.5 }), []);
  assert.is(
    twinProblems({
      'a.b': 1,
      $c: 1,
      'd e': 1,
      long: 'x'.repeat(4_097),
      big: 4_503_599_627_370_496,
      list: [null],
      inner: { list: [{ a: null }] },
    }).length,
    7,
  );
  assert.is(twinProblems(deep).length, 1);
  assert.is(twinProblems({ ['k'.repeat(1_025)]: 1 }).length, 1);
  assert.is(sizeProblem('tags', { a: 'x'.repeat(4_000) }), undefined);
  assert.match(sizeProblem('tags', { a: 'x'.repeat(4_096), b: 'x'.repeat(4_096) }) ?? '', /8192/);
});

test.run();
