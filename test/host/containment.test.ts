/**
 * Modules that take all they can (spec/isolates.md §9): each is ended in time and by name, and its
 * neighbour in the same host goes on, or is told 'host lost' and runs again in the next host.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModuleHost } from '../../src/core/ports.ts';
import { endOf, input, startNoting, startOf, type Told } from '../contracts/module-host.ts';
import { until } from '../fakes/within.ts';
import { guestPrograms } from './contract-programs.ts';
import { hostilePrograms } from './hostile-programs.ts';
import { createTestHost } from './real-host.ts';

const limits = { heapMb: 32, startMs: 800, turnMs: 500 };
/** Limit of CPU time, a crowded machine's share, the second a wedge is given, and the kill. */
const LIMIT_MS = 20_000;

const LATER = 'const later = (run) => isolet.after(1, run);';

const test = suite<{ host: ModuleHost }>('containment');
test.before((context) => {
  context.host = createTestHost();
});
test.after(({ host }) => host.stop());

for (const { name, at, code, causes, only } of hostilePrograms) {
  if (only === 'device') continue;
  test(`${name} at ${at}`, async ({ host }) => {
    const neighbour = startNoting(host, { module: 'neighbour', code: guestPrograms.echo });
    await startOf(neighbour);
    const culprit = startNoting(host, {
      module: 'culprit',
      code: `${LATER}\n${at === 'load' ? code : `isolet.on(async () => { ${code} });`}`,
      limits,
    });
    if (at === 'batch') {
      await startOf(culprit);
      culprit.running.post([input(1, 'go')], [undefined]);
    }
    const began = performance.now();
    const ending = await endOf(culprit, LIMIT_MS);
    const tookMs = Math.round(performance.now() - began);
    if (process.env['NARRATE'])
      console.log(`${name} at ${at}: ${tookMs} ms`, JSON.stringify(ending));
    assert.ok(causes.includes(ending.cause), `${ending.cause}: ${ending.reason}`);
    assert.is(ending.exitCode, ending.cause === 'error' ? 1 : 137);
    await goesOn(host, neighbour, ending.tookHost === true);
    assert.is(culprit.endings.length, 1);
  });
}

async function goesOn(host: ModuleHost, neighbour: Told, lost: boolean): Promise<void> {
  if (lost) {
    const ending = await endOf(neighbour);
    assert.is(ending.cause, 'host lost');
    assert.is(ending.exitCode, 137);
    const again = startNoting(host, { module: 'neighbour', code: guestPrograms.echo });
    return goesOn(host, again, false);
  }
  neighbour.running.post([input(1, 'there?')], [undefined]);
  await until(LIMIT_MS, 'the neighbour answers', () =>
    neighbour.requests.some((one) => one.t === 'ack'),
  );
  await neighbour.running.stop();
  assert.is(neighbour.endings[0]?.cause, 'stopped');
}

test.run();
