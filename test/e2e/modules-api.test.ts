/** What modules import from 'isolet', on a device of real parts: kept over restarts, each module's its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openApiSocket } from '../../src/api/api-socket.ts';
import { apiResources } from '../../src/api-resources.ts';
import { ask, listen } from '../../src/cli/api-client.ts';
import { prometheusText } from '../../src/core/own-metrics.ts';
import type { KeptSummary } from '../../src/core/summaries.ts';
import { until, within } from '../fakes/within.ts';
import { bundleSource, type Device, deployment, spec, startDevice } from './device.ts';

const test = suite("'isolet' on real parts");
const WAIT_MS = 20_000;

/** Counts its starts by key and in a blob, says so, and shows all that it can see. */
const MODULE = `
import { blobs, kv, log, metrics } from 'isolet';
const me = process.env.IOTEDGE_MODULEID;
const starts = await kv.transaction(async (t) => {
  const before = (await t.get('starts')) ?? 0;
  t.set('starts', before + 1);
  t.set('of/' + me, new Uint8Array([1, 2, 3]));
  return before + 1;
});
await blobs.put('last', 'start ' + starts + ' of ' + me);
metrics.counter('starts_total', { help: 'Starts' }).add(starts);
const keys = (await kv.list()).map(({ key }) => key);
const names = (await blobs.list()).map(({ name }) => name);
log.child({ me }).warn('started', { starts, keys, names, text: new TextDecoder().decode(await blobs.get('last')) });
setInterval(() => {}, 1000);
`;

/** What it said when it started for the nth time in this life of the device. */
async function lineOf(device: Device, module: string, start = 1): Promise<unknown> {
  const line = await until(
    WAIT_MS,
    `line ${start} of ${module}`,
    () => device.logs.tail(module, 10).filter(({ text }) => text === 'started')[start - 1],
  );
  return { level: line.level, ...line.fields };
}

const expected = (me: string, starts: number): unknown => ({
  level: 'warn',
  me,
  starts,
  keys: [`of/${me}`, 'starts'],
  names: ['last'],
  text: `start ${starts} of ${me}`,
});

/** The same by the local API. */
async function served(device: Device, socket: string): Promise<void> {
  const api = await openApiSocket(socket, apiResources(device.supervisor));
  try {
    const lines: string[] = [];
    await listen(socket, '/metrics', (line) => lines.push(line));
    assert.ok(lines.includes('starts_total{module="two"} 1'), lines.join('\n'));
    const all = await ask<readonly KeptSummary[]>(socket, '/kept');
    assert.equal(
      all.map(({ module, deployed, keys }) => [module, deployed, keys]),
      [
        ['one', true, 2],
        ['two', true, 2],
      ],
    );
    const refusal = await ask(socket, '/kept/one', 'DELETE').catch((cause: Error) => cause.message);
    assert.match(String(refusal), /module one is in the deployment: take it out first/);
    assert.is(await ask(socket, '/kept/nobody', 'DELETE'), null);
  } finally {
    await api.close();
  }
}

test('what a module keeps is its own, outlives restarts of all, and the module itself', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'isolet-kept-'));
  const image = await bundleSource('keeper', MODULE);
  const both = deployment({ one: spec(image), two: spec(image) });
  let device = await within(WAIT_MS, 'start', startDevice({ dataDir }));
  try {
    device.upstream.desired('$edgeAgent', both);
    assert.equal(await lineOf(device, 'one'), expected('one', 1));
    assert.equal(await lineOf(device, 'two'), expected('two', 1));
    await until(WAIT_MS, 'metrics of both', () =>
      ['"one"', '"two"'].every((name) =>
        prometheusText(device.supervisor.ownMetrics.all()).includes(name),
      ),
    );
    assert.is(
      prometheusText(device.supervisor.ownMetrics.all()),
      '# HELP starts_total Starts\n# TYPE starts_total counter\nstarts_total{module="one"} 1\nstarts_total{module="two"} 1\n',
    );
    await served(device, join(dataDir, 'api.sock'));
    await within(WAIT_MS, 'stop', device.close());

    device = await within(WAIT_MS, 'start', startDevice({ dataDir }));
    assert.equal(await lineOf(device, 'one'), expected('one', 2));
    assert.equal(await lineOf(device, 'two'), expected('two', 2));
    const { storageBytes, totals } = device.module('one') ?? {};
    assert.ok((storageBytes ?? 0) > 40, `${storageBytes} bytes`);
    assert.ok((totals?.keptWrites ?? 0) >= 1);

    device.upstream.desired('$edgeAgent', deployment({ one: spec(image) }));
    await until(WAIT_MS, 'two has left', () => device.module('two') === undefined);
    const [one, two] = await device.supervisor.kept.list();
    assert.equal(
      { ...one, keyBytes: 0 },
      { module: 'one', deployed: true, keys: 2, keyBytes: 0, blobs: 1, blobBytes: 14 },
    );
    assert.equal([two?.module, two?.deployed, two?.keys, two?.blobs], ['two', false, 2, 1]);
    await device.supervisor.kept.forget('two');
    assert.equal(
      (await device.supervisor.kept.list()).map(({ module }) => module),
      ['one'],
    );
    device.upstream.desired('$edgeAgent', both);
    // Its lines went with it.
    assert.equal(await lineOf(device, 'two'), expected('two', 1));
  } finally {
    await within(WAIT_MS, 'stop', device.close());
    rmSync(dataDir, { recursive: true });
  }
});

test.run();
