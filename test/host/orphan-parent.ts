/** A supervisor to be killed: starts a module that never rests, and prints its host's process id. */
import { startNoting } from '../contracts/module-host.ts';
import { until } from '../fakes/within.ts';
import { createTestHost } from './real-host.ts';

const host = createTestHost();
const told = startNoting(host, {
  module: 'busy',
  code: `isolet.rawOutbox('[{"t":"twin","call":1}]', undefined, '', -1); for (;;);`,
  limits: { heapMb: 32, startMs: 600_000, turnMs: 600_000 },
});
await until(10_000, 'it is at it', () => told.requests.length > 0);
console.log(host.processes()['shared']);
