/** When a bundle is asked for again, and with whose login. */
import { test } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import type { RegistryCredentials } from '../../src/core/registry-credentials.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { createBundleStates } from '../../src/supervisor/bundle-states.ts';
import { createFakeBundles } from '../fakes/bundles.ts';
import { createFakeLog } from '../fakes/log.ts';
import { until } from '../fakes/within.ts';

const image = 'registry.example/a:1';

function make() {
  const logins: (string | undefined)[] = [];
  const bundles = createFakeBundles({ [image]: 'code' });
  const states = createBundleStates({
    bundles: {
      ...bundles,
      async fetch(what, credentials) {
        const login = credentials?.get('registry.example');
        logins.push(login?.password);
        if (login?.password !== 'right') throw new Fault('DOWNLOAD_FAILED', 'refused');
        return bundles.fetch(what);
      },
    },
    clock: systemClock,
    random: () => 0,
    log: createFakeLog(),
    changed: () => {},
  });
  const settled = (): Promise<unknown> =>
    until(5_000, 'the bundle', () => states.states().get(image)?.kind !== 'fetching');
  return { states, logins, settled };
}

const as = (password: string): RegistryCredentials =>
  new Map([['registry.example', { username: 'me', password }]]);

test('another login is another try, the same one is not', async () => {
  const { states, logins, settled } = make();
  const modules = [{ image, imagePullPolicy: 'on-create' as const }];
  states.keep(modules, as('wrong'));
  states.fetch(image);
  await settled();
  states.keep(modules, as('wrong'));
  assert.is(states.states().get(image)?.kind, 'failed');
  states.keep(modules, as('right'));
  assert.is(states.states().get(image), undefined);
  states.fetch(image);
  await settled();
  assert.is(states.states().get(image)?.kind, 'ready');
  assert.equal(logins, ['wrong', 'right']);
});

test('imagePullPolicy never: what is not here is not fetched, until it may be', async () => {
  const { states, logins, settled } = make();
  states.keep([{ image, imagePullPolicy: 'never' }], as('right'));
  states.fetch(image);
  await settled();
  const state = states.states().get(image);
  assert.match(state?.kind === 'failed' ? state.problem : '', /imagePullPolicy is "never"/);
  assert.equal(logins, []);
  states.keep([{ image, imagePullPolicy: 'on-create' }], as('right'));
  states.fetch(image);
  await settled();
  assert.is(states.states().get(image)?.kind, 'ready');
  states.keep([{ image, imagePullPolicy: 'never' }], as('right'));
  assert.is(states.states().get(image)?.kind, 'ready');
});

test.run();
