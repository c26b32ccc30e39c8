import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Json, JsonObject } from '../../src/core/json.ts';
import {
  desiredPatchFits,
  diff,
  joinPatches,
  mergePatch,
  sameJson,
  stripMetadata,
  withoutNulls,
} from '../../src/core/twin.ts';
import { twinProblem, utf8Length } from '../../src/core/twin-limits.ts';

type Vectors = {
  merge: { baseline: JsonObject; patch: JsonObject; nullDeletes: boolean; expected: JsonObject }[];
  diff: { from: JsonObject; to: JsonObject; expected: JsonObject }[];
  reportedValidation: { patch: JsonObject; error: string | null }[];
  stripMetadata: { input: JsonObject; expected: JsonObject }[];
};
const vectors = JSON.parse(
  readFileSync(new URL('../vectors/twin-vectors.json', import.meta.url), 'utf8'),
) as Vectors;

const test = suite('twin');

test('merges as in IoT Edge’s own vectors', () => {
  assert.ok(vectors.merge.length > 0);
  for (const { baseline, patch, nullDeletes, expected } of vectors.merge) {
    assert.equal(mergePatch(baseline, patch, nullDeletes), expected);
  }
});

test('compares as in IoT Edge’s own vectors', () => {
  assert.ok(vectors.diff.length > 0);
  for (const { from, to, expected } of vectors.diff) assert.equal(diff(from, to), expected);
});

test('strips the hub’s metadata at the top level only', () => {
  for (const { input, expected } of vectors.stripMetadata) {
    assert.equal(stripMetadata(input), expected);
  }
});

test('accepts and refuses reported properties as IoT Edge does, with its words', () => {
  assert.ok(vectors.reportedValidation.length > 0);
  for (const { patch, error } of vectors.reportedValidation) {
    assert.is(twinProblem(patch), error ?? undefined);
  }
});

const value: fc.Arbitrary<Json> = fc.letrec<{ any: Json; object: JsonObject }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 3 },
    fc.integer(),
    fc.string(),
    fc.boolean(),
    fc.array(fc.integer(), { maxLength: 3 }),
    tie('object'),
  ),
  object: fc.dictionary(fc.string({ maxLength: 4 }), tie('any'), {
    maxKeys: 4,
  }) as fc.Arbitrary<JsonObject>,
})).object;

test('merge(a, diff(a, b)) = b for any two sections', () => {
  fc.assert(
    fc.property(value, value, (a, b) =>
      sameJson(mergePatch(a, diff(a as JsonObject, b as JsonObject), true), b),
    ),
  );
});

test('two patches joined do what they do one after the other', () => {
  const merge = (base: Json, patch: Json): JsonObject =>
    withoutNulls(mergePatch(base, patch, true) as JsonObject);
  const branches = fc.dictionary(
    fc.constantFrom('a', 'b'),
    fc.oneof(value, fc.constant(null)),
  ) as fc.Arbitrary<JsonObject>;
  fc.assert(
    fc.property(value, branches, branches, (base, first, second) =>
      sameJson(merge(base, joinPatches(base, first, second)), merge(merge(base, first), second)),
    ),
  );
  const joined = joinPatches({ a: { old: 1 } }, { a: null }, { a: { next: 2 } });
  assert.equal(joined, { a: { old: null, next: 2 } });
});

test('a key named like a prototype’s is a key like any other', () => {
  const patch = JSON.parse('{"__proto__": {"polluted": 1}, "toString": 2}') as JsonObject;
  const merged = mergePatch({}, patch, true) as JsonObject;
  assert.is(({} as Record<string, unknown>)['polluted'], undefined);
  assert.ok(Object.hasOwn(merged, '__proto__'));
  assert.equal(diff({}, { toString: 1 }), { toString: 1 });
});

test('no null is left of a patch, however deep', () => {
  const merged = mergePatch({}, { a: { b: null, c: { d: null, e: [1] } } }, true) as JsonObject;
  assert.equal(withoutNulls(merged), { a: { c: { e: [1] } } });
});

test('only the next version may be applied', () => {
  assert.is(desiredPatchFits({ $version: 3 }, { $version: 4 }), 'next');
  assert.is(desiredPatchFits({ $version: 3 }, { $version: 3 }), 'known');
  assert.is(desiredPatchFits({ $version: 3 }, { $version: 5 }), 'gap');
  assert.is(desiredPatchFits({}, { $version: 1 }), 'gap');
});

test('counts UTF-8 bytes as an encoder does', () => {
  fc.assert(
    fc.property(
      fc.string({ unit: 'grapheme' }),
      (text) => utf8Length(text) === Buffer.byteLength(text),
    ),
  );
});

test.run();
