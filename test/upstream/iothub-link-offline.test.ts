/** A link that never comes online: months of attempts, and what they cost. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import type { Identities, Log } from '../../src/core/ports.ts';
import { openIotHubLink } from '../../src/upstream/iothub-link.ts';
import { defaultIotHubSettings } from '../../src/upstream/iothub-settings.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { within } from '../fakes/within.ts';

const test = suite('IoT Hub link, offline');

const DAY_MS = 24 * 3_600_000;
/** A log that does not remember: it would be what grows. */
const log: Log = { debug() {}, info() {}, warn() {}, error() {} };

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function heapBytes(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().heapUsed;
}

test('days without a network cost no memory, and attempts keep coming', async () => {
  const clock = createFakeClock();
  let attempts = 0;
  const identities: Identities = {
    hostName: 'hub',
    deviceId: 'board-1',
    ensure() {
      attempts++;
      return Promise.reject(new Fault('UPSTREAM_AWAY', 'the hub cannot be reached'));
    },
    forget() {},
    async stop() {},
  };
  const told: string[] = [];
  const link = openIotHubLink(
    'sensor',
    {
      online: () => void told.push('online'),
      offline: (fault) => void told.push(fault.code),
      desired() {},
      method: async () => undefined,
    },
    {
      identities,
      secureContext: undefined,
      clock,
      random: () => 0.5,
      log,
      settings: defaultIotHubSettings,
      // No attempt gets as far as needing it.
      sdk: Promise.resolve({} as never),
    },
  );
  await within(60_000, 'a first day', clock.advance(DAY_MS));
  const before = { heap: heapBytes(), attempts };
  await within(60_000, 'ten days', clock.advance(10 * DAY_MS));
  const grown = heapBytes() - before.heap;
  const made = attempts - before.attempts;
  assert.ok(made >= 10 * 24 * 60, `an attempt a minute at least, there were ${made}`);
  // One small object left behind by each attempt would be more than this.
  assert.ok(grown < made * 50, `${grown} bytes grew in ${made} attempts`);
  assert.equal(told, ['UPSTREAM_AWAY']);
  await within(1_000, 'close', link.close());
  assert.is(clock.pending(), 0, 'no alarm is left');
});

test.run();
