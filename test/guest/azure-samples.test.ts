/**
 * The patterns of Azure's sample modules, written for its SDK as such modules are: CommonJS with callbacks, ES
 * modules with promises, TypeScript. Each runs as it is, from the real build in a real isolate.
 */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileModule } from '../../build/compile-module.ts';
import type { GuestRequest } from '../../src/core/guest-protocol.ts';
import type { Json } from '../../src/core/json.ts';
import { until } from '../fakes/within.ts';
import { input, type ModuleBox, openBox } from './module-box.ts';

const test = suite('azure samples');
const folder = join(import.meta.dirname, '..', 'fixtures', 'azure-samples');
const forms = ['app.js', 'main.mjs', 'main.ts'];

/** Each form of one sample, with a runtime that answers what it asks. */
function sample(
  name: string,
  desired: Record<string, Json>,
  use: (box: ModuleBox) => Promise<void>,
): void {
  for (const form of forms) {
    test(`${name}, ${form}`, async () => {
      const { code } = await compileModule(join(folder, name), form);
      const box = await openBox(code, { form: 'built' });
      const stop = answer(box, {
        desired: { ...desired, $version: 1 },
        reported: { location: 'attic', $version: 3 },
      });
      try {
        await use(box);
      } finally {
        await stop();
        box.dispose();
      }
    });
  }
}

/** Says yes to all requests, as they come. */
function answer(box: ModuleBox, twin: Json): () => Promise<void> {
  let over = false;
  const answered = new Set<number>();
  const values: Record<string, Json> = { twin, invoke: { status: 201, payload: { done: true } } };
  const loop = async (): Promise<void> => {
    while (!over) {
      const calls = box
        .requests()
        .filter((one): one is Extract<GuestRequest, { call: number }> => 'call' in one)
        .filter(({ call }) => !answered.has(call));
      for (const { call } of calls) answered.add(call);
      if (calls.length > 0) {
        await box.post(
          calls.map(({ t, call }) => ({ t: 'reply', call, value: values[t] ?? null })),
        );
      }
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  const running = loop();
  return () => {
    over = true;
    return running;
  };
}

const sends = (box: ModuleBox): Extract<GuestRequest, { t: 'send' }>[] =>
  box.requests().filter((one): one is Extract<GuestRequest, { t: 'send' }> => one.t === 'send');

sample('filter', { TemperatureThreshold: 30 }, async (box) => {
  await box.request('listen', ({ what }) => what === 'inputs');
  await box.request('twin');
  await box.post([]);
  const reading = (temperature: number) =>
    input(JSON.stringify({ machine: { temperature } }), { p: { line: '4' } });
  // The threshold is in force once the twin has been told.
  await until(2_000, 'the twin', () => box.requests().some(({ t }) => t === 'twin') || undefined);
  await new Promise((resolve) => setTimeout(resolve, 20));
  await box.post([reading(21), reading(28), reading(42)]);
  await box.log('Sending received message status: MessageEnqueued');
  assert.ok(box.logs().includes('Machine temperature 42 exceeds threshold 30'), box.logs().join());
  assert.equal(
    sends(box).map(({ output, p, b }) => [output, p, b]),
    [['output1', { line: '4', MessageType: 'Alert' }, '{"machine":{"temperature":42}}']],
  );
  const acks = box.requests().flatMap((one) => (one.t === 'ack' ? one.ids : []));
  assert.is(acks.length, 3);
  await box.post([{ t: 'desired', patch: { TemperatureThreshold: 20, $version: 2 } }, reading(21)]);
  await until(2_000, 'the second alert', () => sends(box).length === 2 || undefined);
});

sample('temperature-sensor', { SendInterval: 5 }, async (box) => {
  const isThere = (): boolean => box.logs().includes('Sent message reading-2');
  for (let i = 0; i < 50 && !isThere(); i++) {
    if ((box.batches.at(-1)?.timerMs ?? -1) >= 0) await box.tick();
    else await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(isThere(), box.logs().join());
  const [first] = sends(box);
  assert.equal(
    [first?.output, first?.p, first?.s],
    [
      'temperatureOutput',
      { sequenceNumber: '1' },
      { messageId: 'reading-1', contentType: 'application/json', contentEncoding: 'utf-8' },
    ],
  );
  const { machine, timeCreated } = JSON.parse(first?.b as string) as Record<string, never>;
  assert.equal(machine, { temperature: 21, pressure: 1.5 });
  assert.ok(Date.parse(timeCreated as unknown as string) > 0);
});

sample('method-handler', {}, async (box) => {
  await box.request('listen', ({ what }) => what === 'methods');
  await until(2_000, 'the last handler', () => box.batches.length > 0 || undefined);
  const method = (id: number, name: string, payload: Json) =>
    ({ t: 'method', id, name, payload }) as const;
  await box.post([method(1, 'reset', null), method(2, 'getStatus', { a: [1] })]);
  await box.log('successfully sent method response');
  await box.log('reset answered');
  await box.post([method(3, 'relay', { b: 2 })]);
  const relayed = await box.request('answer', ({ id }) => id === 3);
  assert.equal([relayed.status, relayed.payload], [201, { done: true }]);
  const status = await box.request('answer', ({ id }) => id === 2);
  assert.equal(status.payload, { resets: 1, asked: { a: [1] } });
  const { module, name, payload, responseTimeoutS, connectTimeoutS, device } =
    await box.request('invoke');
  assert.equal(
    [device, module, name, payload, responseTimeoutS, connectTimeoutS],
    ['edge-1', 'worker', 'doSomething', { b: 2 }, 10, 5],
  );
});

sample('twin-logger', { climate: { minTemperature: 10, maxTemperature: 20 } }, async (box) => {
  await box.log('twin state reported: {"version":"1.2.1"}');
  assert.equal(box.logs().slice(0, 2), ['client opened', 'twin acquired, location attic']);
  assert.equal((await box.request('report')).patch, {
    firmware: { version: '1.2.1' },
    location: null,
  });
  await box.log('climate: 10 to 20');
  await box.post([
    { t: 'desired', patch: { climate: { maxTemperature: 25, fan: { on: true } }, $version: 2 } },
  ]);
  await box.log('climate: 10 to 25');
  await box.log('fan: true');
  await box.log(
    'new desired properties received: {"climate":{"maxTemperature":25,"fan":{"on":true}},"$version":2}',
  );
});

sample('batch-sender', {}, async (box) => {
  await box.request('listen', ({ what }) => what === 'inputs');
  await box.post(
    ['a', 'b', 'c', 'd'].map((text) => input(text, { s: { messageId: `m-${text}` } })),
  );
  await box.log('summary sent');
  assert.ok(box.logs().includes('batch of 3 sent: true'));
  assert.equal(
    sends(box).map(({ output, p, s, b }) => [output, p, s, b]),
    [
      ...['a', 'b', 'c'].map((text) => [
        'batches',
        { input: 'input1' },
        { cid: `m-${text}` },
        text,
      ]),
      [null, {}, {}, '{"sent":3}'],
    ],
  );
});

test.run();
