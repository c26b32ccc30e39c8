/** Whom a host's death is blamed on. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { blame, type Suspect } from '../../src/host/blame.ts';

const MB = 1_048_576;
const suspect = (handle: number, heapMb: number, more: Partial<Suspect['pulse']>): Suspect => ({
  heapMb,
  pulse: { handle, cpuMs: 0, heapBytes: 0, grownBytes: 0, turnMs: 0, overLimit: false, ...more },
});
const guilty = (...suspects: Suspect[]): number | undefined => blame(suspects)?.pulse.handle;

const test = suite('blame');

test('one that V8 gave up goes before all others', () => {
  assert.is(
    guilty(suspect(1, 32, { grownBytes: 900 * MB }), suspect(2, 32, { overLimit: true })),
    2,
  );
});

test('who is beyond its own limit, not who uses most', () => {
  assert.is(
    guilty(suspect(1, 512, { heapBytes: 400 * MB }), suspect(2, 32, { grownBytes: 90 * MB })),
    2,
  );
});

test('within their limits, the one longest at work', () => {
  assert.is(guilty(suspect(1, 32, { turnMs: 60 }), suspect(2, 32, { turnMs: 160 })), 2);
});

test('all at rest, the one that took something', () => {
  assert.is(
    guilty(suspect(1, 128, { grownBytes: 2 * MB }), suspect(2, 128, { heapBytes: 90 * MB })),
    2,
  );
});

test('nobody', () => {
  assert.is(guilty(), undefined);
  assert.is(guilty(suspect(1, 128, { grownBytes: 2 * MB })), undefined);
});

test.run();
