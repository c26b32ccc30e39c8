import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { coolOffMs, restartVerdict } from '../../src/core/restart-policy.ts';

const vectors = JSON.parse(
  readFileSync(new URL('../vectors/restart-vectors.json', import.meta.url), 'utf8'),
) as { coolOff: { restartCount: number; unitSecs: number; seconds: number }[] };

const test = suite('restart policy');

test('cools off as IoT Edge does', () => {
  assert.ok(vectors.coolOff.length > 0);
  for (const { restartCount, unitSecs, seconds } of vectors.coolOff) {
    if (unitSecs === 10) assert.is(coolOffMs(restartCount), seconds * 1000);
  }
});

const ended = { failed: true, policy: 'always', restartCount: 0, lastExitAtMs: 1_000_000 } as const;

test('waits out the pause, then starts', () => {
  assert.equal(restartVerdict(ended, 1_000_500), { kind: 'wait', untilMs: 1_010_000 });
  assert.equal(restartVerdict(ended, 1_010_000), { kind: 'start' });
});

test('is never given up for good', () => {
  const tired = { ...ended, restartCount: 500 };
  assert.equal(restartVerdict(tired, 1_000_000 + 300_000), { kind: 'start' });
});

test('a clean exit restarts under always only', () => {
  const clean = { ...ended, failed: false };
  assert.is(restartVerdict({ ...clean, policy: 'on-failure' }, 9e9).kind, 'leave');
  assert.is(restartVerdict({ ...clean, policy: 'on-unhealthy' }, 9e9).kind, 'leave');
  assert.is(restartVerdict(clean, 9e9).kind, 'start');
});

test('never means never', () => {
  assert.is(restartVerdict({ ...ended, policy: 'never' }, 9e9).kind, 'leave');
});

test('a clock that jumps back holds nobody', () => {
  assert.is(restartVerdict(ended, 5).kind, 'start');
});

test.run();
