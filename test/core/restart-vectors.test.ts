/**
 * IoT Edge's own rows (spec/iotedge.md §3.2), each of them. Where we do otherwise on purpose
 * (docs/differences.md) the row says what is expected instead, so that no row is left out.
 */
import { readFileSync } from 'node:fs';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { moduleStatus } from '../../src/core/agent-report.ts';
import { readCreateOptions } from '../../src/core/create-options.ts';
import type { ModuleSpec } from '../../src/core/deployment.ts';
import type { ModuleObservation } from '../../src/core/plan.ts';
import type { StatisticsRow } from '../../src/core/ports.ts';
import {
  coolOffMs,
  RESTARTS_UNTIL_FAILED,
  type RestartPolicy,
  restartVerdict,
} from '../../src/core/restart-policy.ts';

const test = suite('restart vectors');
const NOW = 1_700_000_000_000;

type Status = 'running' | 'stopped' | 'failed' | 'unhealthy' | 'backoff';
type Row = {
  readonly restartPolicy: RestartPolicy;
  readonly restartCount: number;
  readonly maxRestartCount: number;
};
const vectors = JSON.parse(
  readFileSync(new URL('../vectors/restart-vectors.json', import.meta.url), 'utf8'),
) as {
  readonly effectiveStatus: readonly (Row & {
    readonly engineStatus: Status;
    readonly expected: Status;
  })[];
  readonly shouldRestart: readonly (Row & {
    readonly status: Status;
    readonly secondsSinceExit: number | null;
    readonly restart: boolean;
  })[];
  readonly coolOff: readonly { restartCount: number; unitSecs: number; seconds: number }[];
};

/** The rows' limit is 5, ours is fixed: as far from ours as the row is from its own. */
const asOurs = (row: Row): number =>
  row.restartCount <= row.maxRestartCount - 1
    ? row.restartCount
    : RESTARTS_UNTIL_FAILED + row.restartCount - row.maxRestartCount;

/** There is no health probe: what a container engine calls unhealthy is a failure here. */
const failed = (status: Status): boolean => status === 'failed' || status === 'unhealthy';

const spec = (restartPolicy: RestartPolicy): ModuleSpec => ({
  name: 'm',
  version: '',
  type: 'docker',
  status: 'running',
  restartPolicy,
  imagePullPolicy: 'on-create',
  startupOrder: 0,
  image: 'i',
  createOptions: {},
  settings: readCreateOptions({}, ''),
  env: {},
});

const observed = (row: Row, status: Status): ModuleObservation => {
  const statistics: StatisticsRow = {
    restartCount: asOurs(row),
    lastRestartAtMs: null,
    lastStartAtMs: NOW - 9_000,
    lastExitAtMs: NOW - 1_000,
    exitCode: failed(status) ? 1 : 0,
    exitReason: 'It ended.',
    quarantined: false,
  };
  const running = status === 'running';
  return {
    state: running ? 'running' : 'ended',
    spec: spec(row.restartPolicy),
    endingCause: running ? undefined : failed(status) ? 'error' : 'exited',
    statistics,
  };
};

test('a module’s status is IoT Edge’s', () => {
  assert.is(vectors.effectiveStatus.length, 16);
  for (const row of vectors.effectiveStatus) {
    const { status } = moduleStatus(
      spec(row.restartPolicy),
      observed(row, row.engineStatus),
      undefined,
    );
    const expected = row.expected === 'unhealthy' ? 'failed' : row.expected;
    assert.is(status, expected, JSON.stringify(row));
  }
});

test('a module starts again when IoT Edge would start it', () => {
  assert.is(vectors.shouldRestart.length, 29);
  for (const row of vectors.shouldRestart) {
    // 'backoff' is what the policy made of it; any other status was left alone by it.
    if (row.status !== 'backoff') {
      assert.is(row.restart, false, JSON.stringify(row));
      continue;
    }
    const sinceMs = row.secondsSinceExit === null ? NOW : row.secondsSinceExit * 1_000;
    const verdict = restartVerdict(
      {
        failed: true,
        policy: row.restartPolicy,
        restartCount: row.restartCount,
        lastExitAtMs: NOW - sinceMs,
      },
      NOW,
    );
    assert.is(verdict.kind === 'start', row.restart, JSON.stringify(row));
  }
});

test('it cools off as IoT Edge lets it', () => {
  assert.is(vectors.coolOff.length, 7);
  for (const { restartCount, unitSecs, seconds } of vectors.coolOff) {
    assert.is(unitSecs, 10);
    assert.is(coolOffMs(restartCount), seconds * 1_000);
  }
});

test.run();
