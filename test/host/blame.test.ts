/** Whom a host's death is blamed on. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import {
  convict,
  type Suspect,
  suspectLargest,
  suspectLatest,
  suspectWorking,
} from '../../src/host/blame.ts';
import type { ModulePulse } from '../../src/host/host-protocol.ts';

const MB = 1_048_576;
const suspect = (handle: number, heapMb: number, more: Partial<ModulePulse>): Suspect => ({
  handle,
  heapMb,
  loadingMs: 0,
  activeAtMs: undefined,
  pulse: {
    handle,
    cpuMs: 0,
    heapBytes: 0,
    cpuWaitMs: 0,
    messageWaitMs: 0,
    grownBytes: 0,
    turnMs: 0,
    doomed: false,
    ...more,
  },
});
const handle = (one: Suspect | undefined): number | undefined => one?.pulse?.handle;

const test = suite('blame');

test('one that still runs without its isolate goes before all others', () => {
  const list = [suspect(1, 32, { grownBytes: 900 * MB }), suspect(2, 32, { doomed: true })];
  assert.is(handle(convict(list)), 2);
});

test('then who is beyond its own limit, not who uses most', () => {
  const list = [suspect(1, 512, { heapBytes: 400 * MB }), suspect(2, 32, { grownBytes: 90 * MB })];
  assert.is(handle(convict(list)), 2);
});

test('within its limit nobody is convicted', () => {
  assert.is(convict([suspect(1, 32, { turnMs: 900, grownBytes: 20 * MB })]), undefined);
  assert.is(convict([]), undefined);
});

test('the one longest at work is suspect, and loading is work', () => {
  const working = [suspect(1, 32, { turnMs: 60 }), suspect(2, 32, { turnMs: 160 })];
  assert.is(handle(suspectWorking(working)), 2);
  const loading = {
    handle: 3,
    heapMb: 32,
    loadingMs: 200,
    activeAtMs: undefined,
    pulse: undefined,
  };
  assert.is(suspectWorking([...working, loading]), loading);
  assert.is(suspectWorking([suspect(1, 32, {})]), undefined);
});

test('without a pulse, the one last given something to do', () => {
  const quiet = suspect(1, 32, { grownBytes: 5 * MB });
  const latest = { ...suspect(2, 32, {}), activeAtMs: 900 };
  assert.is(suspectLatest([quiet, { ...suspect(3, 32, {}), activeAtMs: 800 }, latest]), latest);
  assert.is(suspectLatest([quiet]), undefined);
});

test('when all rest, the one that uses most', () => {
  const list = [suspect(1, 128, { grownBytes: 2 * MB }), suspect(2, 128, { heapBytes: 90 * MB })];
  assert.is(handle(suspectLargest(list)), 2);
});

test.run();
