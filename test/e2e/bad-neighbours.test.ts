/** Modules that loop, swallow memory or throw, each deployed beside the filter: it keeps working. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { RestartReason } from '../../src/core/restart-reason.ts';
import { until, within } from '../fakes/within.ts';
import { bundleSource, bundleStock, type Device, deployment, spec, startDevice } from './device.ts';

const test = suite('bad neighbours');

const ROUTES = {
  schemaVersion: '1.1',
  routes: {
    sensor:
      'FROM /messages/modules/sensor/* INTO BrokeredEndpoint("/modules/filter/inputs/input1")',
    filter: 'FROM /messages/modules/filter/* INTO $upstream',
  },
};

let device: Device;
let good: { readonly sensor: string; readonly filter: string };

test.before(async () => {
  device = await within(20_000, 'start', startDevice());
  const [sensor, filter] = await Promise.all(
    ['simulated-temperature-sensor', 'temperature-filter'].map(bundleStock),
  );
  good = { sensor: sensor as string, filter: filter as string };
  device.upstream.desired('$edgeHub', ROUTES);
  device.upstream.desired('filter', { TemperatureThreshold: 0 });
  await deploy({});
  await flows('at the start');
});

test.after(async () => {
  await within(20_000, 'stop', device.close());
});

function deploy(bad: Readonly<Record<string, string>>): Promise<void> {
  const sensor = spec(good.sensor, {
    env: { MessageDelay: { value: '00:00:00.050' }, MessageCount: { value: '-1' } },
  });
  const neighbours = Object.entries(bad).map(([name, image]) => [name, spec(image)]);
  const modules = {
    sensor,
    filter: spec(good.filter),
    loop: null,
    hog: null,
    thrower: null,
    ...Object.fromEntries(neighbours),
  };
  device.upstream.desired('$edgeAgent', deployment(modules as never));
  return Promise.resolve();
}

/** Readings pass the filter, now. */
async function flows(when: string): Promise<void> {
  const before = device.upstream.sent('filter').length;
  await until(
    10_000,
    `readings ${when}`,
    () => device.upstream.sent('filter').length >= before + 3,
  );
}

const reportedModule = (name: string): Record<string, unknown> | undefined =>
  (
    device.upstream.twin('$edgeAgent').reported['modules'] as
      | Record<string, Record<string, unknown>>
      | undefined
  )?.[name];

async function isReported(
  name: string,
  words: RegExp,
  reasons: readonly RestartReason[],
): Promise<void> {
  await until(15_000, `${name} is reported`, () => {
    const state = reportedModule(name);
    return state?.['runtimeStatus'] === 'backoff' && words.test(String(state['statusDescription']));
  });
  await until(5_000, `${name} is shown`, () => words.test(device.module(name)?.description ?? ''));
  const shown = device.module(name)?.restartReason;
  assert.is(reportedModule(name)?.['restartReason'], shown);
  assert.ok(reasons.includes(shown as RestartReason), `${name}: ${shown}`);
}

test('a module that throws at load', async () => {
  await deploy({
    thrower: await bundleSource('thrower', 'throw new Error("no sensor on the bus");\n'),
  });
  await isReported('thrower', /no sensor on the bus/, ['unhandled error']);
  assert.match(device.module('thrower')?.description ?? '', /src\/main\.js:1/);
  await flows('beside a thrower');
});

test('a module that never ends its first turn', async () => {
  await deploy({ loop: await bundleSource('loop', 'for (;;) {}\n') });
  await flows('while it loops');
  await isReported('loop', /CPU|time/i, ['CPU']);
  await flows('after it was ended');
});

test('a module that swallows memory faster than its isolate can be stopped', async () => {
  const code = 'const a = [];\nfor (;;) a.push(new Array(100).fill(1.5));\n';
  await deploy({ hog: await bundleSource('hog', code) });
  await isReported('hog', /used .* MB|memory|could not be stopped/i, ['out of memory', 'wedge']);
  await flows('after the hog');
  assert.is(device.module('filter')?.restartCount, 0);
  // It is charged for it: the next time it brings down nobody but itself.
  const before = device.log.entries.filter(
    ({ message, fields }) => message === 'module ended' && fields['module'] === 'filter',
  ).length;
  await until(30_000, 'its next start', () => (device.module('hog')?.restartCount ?? 0) >= 1);
  await isReported('hog', /used .* MB|memory|could not be stopped/i, ['out of memory', 'wedge']);
  await flows('after the hog came again');
  const after = device.log.entries.filter(
    ({ message, fields }) => message === 'module ended' && fields['module'] === 'filter',
  ).length;
  assert.is(after, before);
});

test.run();
