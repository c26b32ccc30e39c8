/** The rights of a shared host are those decided for its modules, not those the deployment would grant. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { asksNothing, readAsked } from '../../src/core/asked.ts';
import { formatHostPort } from '../../src/core/network-grant.ts';
import { readPolicy } from '../../src/core/policy.ts';
import { startSupervisor } from '../../src/supervisor/supervisor.ts';
import { createFakeBundles } from '../fakes/bundles.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createFakeLog } from '../fakes/log.ts';
import { createFakeModuleHost } from '../fakes/module-host.ts';
import { createMemoryStore } from '../fakes/store.ts';
import { createFakeUpstream } from '../fakes/upstream.ts';

const test = suite('rights');

const spec = (image: string, Binds: readonly string[] = []) => ({
  type: 'docker',
  version: '1.0',
  status: 'running',
  restartPolicy: 'always',
  settings: { image, createOptions: JSON.stringify({ HostConfig: { Binds } }) },
});

test('a group gets what was decided for bundles that are here', async () => {
  const clock = createFakeClock(Date.UTC(2026, 5, 1));
  const host = createFakeModuleHost({ quiet: () => {} }, clock);
  const upstream = createFakeUpstream();
  const asksHost = readAsked({ network: ['api.example.com:443', 'other.example.com:80'] }, 'a', []);
  const supervisor = await startSupervisor({
    store: createMemoryStore(),
    host,
    upstream,
    bundles: createFakeBundles(
      { 'modest:1': 'quiet', 'online:1': 'quiet' },
      { 'modest:1': asksNothing, 'online:1': asksHost },
    ),
    clock,
    random: () => 0.5,
    log: createFakeLog(),
    device: { id: 'edge', hub: 'hub', version: '0', architecture: 'arm64', pid: 1 },
    moduleLimits: { heapMb: 32, startMs: 5_000, turnMs: 1_000 },
    policy: readPolicy({ network: ['*:443'] }, 'isolet.policy', []),
  });
  upstream.goOnline();
  upstream.desired('$edgeAgent', {
    schemaVersion: '1.1',
    runtime: { type: 'docker', settings: {} },
    systemModules: {},
    modules: { modest: spec('modest:1', ['/srv/site:/data']), online: spec('online:1') },
  });
  await clock.advance(3_000);
  assert.is(host.starts.length, 2);
  const [last] = host.starts.slice(-1);
  const all = last?.groupGrants ?? [];
  assert.equal(
    all.flatMap(({ binds }) => binds),
    [],
    'the bundle does not ask for the bind',
  );
  assert.equal(
    all.flatMap(({ network }) => network.hosts.map(formatHostPort)),
    ['api.example.com:443'],
    'the default network, as far as one asks and the policy goes',
  );
  await supervisor.stop();
});

test.run();
