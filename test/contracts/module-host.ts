/** What every ModuleHost does, whether its modules are isolates in a process or functions in this one. */

import { suite, type Test } from 'uvu';
import * as assert from 'uvu/assert';
import { deviceKind } from '../../src/core/create-options-devices.ts';
import type { DeviceGrant } from '../../src/core/device-grant.ts';
import type { GuestEvent, GuestRequest } from '../../src/core/guest-protocol.ts';
import {
  type Ending,
  type Grants,
  type ModuleHost,
  type ModuleMetrics,
  type ModuleStart,
  noGrants,
  type RunningModule,
} from '../../src/core/ports.ts';
import { until, within } from '../fakes/within.ts';

/** The programs the contract needs, for the implementation to write in its own way. */
export type ContractProgram =
  /** At load listens to inputs and logs its name; answers each input with a `send` of the same body and properties to the output of the input's name (call = id), and one `ack` for the batch. */
  | 'echo'
  /** At load listens to inputs; works 40 ms at each batch, then acknowledges it. */
  | 'works'
  /** Throws `new Error('bad at load')` in its first turn. */
  | 'throws at load'
  /** Throws `new Error('bad later')` on its first batch. */
  | 'throws later'
  /** Leaves a rejection with `new Error('bad promise')` unhandled on its first batch. */
  | 'rejects'
  /** Logs 'bye' and calls exit(7) on its first batch. */
  | 'exits'
  /** Makes a request that the treaty does not know on its first batch. */
  | 'breaks the treaty';

export type ContractSubject = {
  readonly host: ModuleHost;
  readonly code: (program: ContractProgram) => string;
};

const LIMIT_MS = 10_000;

/** What one module told its sink, in order. */
export type Told = {
  readonly calls: string[];
  readonly requests: GuestRequest[];
  readonly bodies: (Uint8Array | undefined)[];
  readonly endings: Ending[];
  /** What it used, told with its end. */
  readonly used: ModuleMetrics[];
  readonly running: RunningModule;
};

/** These grants and no others. */
export const granting = (grants: Partial<Grants>): Grants => ({ ...noGrants, ...grants });

/** All rights to one device, under its own name. */
export const deviceGrant = (path: string, change: Partial<DeviceGrant> = {}): DeviceGrant => ({
  path,
  target: path,
  kind: deviceKind(path),
  readable: true,
  writable: true,
  at: 'HostConfig.Devices[0]',
  ...change,
});

/** Starts a module and notes everything it tells. */
export function startNoting(
  host: ModuleHost,
  start: Partial<ModuleStart> & { module: string; code: string },
  relief: (requests: readonly GuestRequest[]) => Promise<void> | undefined = () => undefined,
): Told {
  const calls: string[] = [];
  const requests: GuestRequest[] = [];
  const bodies: (Uint8Array | undefined)[] = [];
  const endings: Ending[] = [];
  const used: ModuleMetrics[] = [];
  const running = host.start(
    {
      sourceMap: '',
      device: 'board',
      env: {},
      grants: noGrants,
      limits: { heapMb: 32, startMs: 5_000, turnMs: 2_000 },
      group: 'shared',
      ...start,
    },
    {
      started: () => void calls.push('started'),
      requests(list, more) {
        calls.push('requests');
        requests.push(...list);
        bodies.push(...more);
        return relief(list);
      },
      ended(ending, metrics) {
        calls.push('ended');
        endings.push(ending);
        used.push(metrics);
      },
    },
  );
  return { calls, requests, bodies, endings, used, running };
}

export function endOf(told: Told, ms = LIMIT_MS): Promise<Ending> {
  return until(ms, 'the module ends', () => told.endings[0]);
}

export async function startOf(told: Told): Promise<void> {
  await until(LIMIT_MS, 'the module starts or ends', () =>
    told.calls.some((one) => one !== 'requests'),
  );
  if (!told.calls.includes('started')) throw new Error(`It ended: ${told.endings[0]?.reason}`);
}

export function input(id: number, b: string | number, p = {}): GuestEvent {
  return { t: 'input', id, input: 'in', p, s: {}, b };
}

export function moduleHostContract(
  name: string,
  create: () => ContractSubject,
): Test<ContractSubject> {
  const test = suite<ContractSubject>(`ModuleHost: ${name}`);
  test.before((context) => void Object.assign(context, create()));
  test.after(({ host }) => within(LIMIT_MS, 'the host stops', host.stop()));

  test('a module starts and its first requests come out', async ({ host, code }) => {
    const told = startNoting(host, { module: 'one', code: code('echo') });
    assert.equal(told.calls, [], 'start() tells nothing before it returns');
    await startOf(told);
    await until(LIMIT_MS, 'first requests', () => told.requests.length >= 2 || undefined);
    assert.equal(told.requests, [
      { t: 'listen', what: 'inputs' },
      { t: 'log', level: 'info', text: 'one' },
    ]);
    assert.ok((host.processes()['shared'] ?? 0) > 0);
    assert.ok(host.metrics('one') !== undefined);
    await told.running.stop();
    assert.is(host.metrics('one'), undefined);
  });

  test('who takes its requests may ask for patience', async ({ host, code }) => {
    const patience = Promise.withResolvers<void>();
    let asked = false;
    const told = startNoting(host, { module: 'patient', code: code('echo') }, (requests) => {
      if (asked || !requests.some(({ t }) => t === 'send')) return undefined;
      asked = true;
      return patience.promise;
    });
    await startOf(told);
    told.running.post([input(1, 'a')], [undefined]);
    await until(LIMIT_MS, 'the first echo', () => asked || undefined);
    const before = told.requests.length;
    told.running.post([input(2, 'b')], [undefined]);
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.is(told.requests.length, before);
    patience.resolve();
    await until(LIMIT_MS, 'the second echo', () => {
      return told.requests.filter(({ t }) => t === 'send').length === 2 || undefined;
    });
    await told.running.stop();
  });

  test('events go in and requests come out in order, with text and bytes', async ({
    host,
    code,
  }) => {
    const told = startNoting(host, { module: 'two', code: code('echo') });
    // Posted before it has started: they wait for it.
    told.running.post(
      [input(1, 'grüße'), input(2, 3, { unit: 'C' })],
      [undefined, new Uint8Array([1, 2, 255])],
    );
    for (let id = 3; id < 200; id += 2) {
      told.running.post(
        [input(id, 2), input(id + 1, `${id}`)],
        [new Uint8Array([id, 0]), undefined],
      );
    }
    const sends = await until(LIMIT_MS, 'all echoes', () => {
      const list = told.requests.filter((one) => one.t === 'send');
      return list.length === 200 ? list : undefined;
    });
    assert.equal(
      sends.map((one) => one.call),
      Array.from({ length: 200 }, (_, index) => index + 1),
    );
    assert.is(sends[0]?.output, 'in');
    assert.equal(sends[1]?.p, { unit: 'C' });
    const bodies = told.bodies.filter((body) => body !== undefined).map((body) => [...body]);
    assert.is(bodies.length, 200, 'each send has its body, the text ones too');
    assert.equal(bodies[0], [...Buffer.from('grüße')]);
    assert.equal(bodies[1], [1, 2, 255]);
    assert.equal(bodies[198], [199, 0]);
    const acked = told.requests.flatMap((one) => (one.t === 'ack' ? one.ids : []));
    assert.is(acked.length, 200);
    await told.running.stop();
  });

  test('a CPU share holds over time: turns wait, in order, and none is lost', async ({
    host,
    code,
  }) => {
    const cpuShare = 0.3;
    const beganAt = performance.now();
    const told = startNoting(host, {
      module: 'worker',
      code: code('works'),
      limits: { heapMb: 32, startMs: 5_000, turnMs: 2_000, cpuShare },
    });
    await startOf(told);
    const ids = [1, 2, 3, 4, 5, 6];
    for (const id of ids) told.running.post([input(id, 'go')], [undefined]);
    const acked = await until(LIMIT_MS, 'all turns', () => {
      const list = told.requests.flatMap((one) => (one.t === 'ack' ? one.ids : []));
      return list.length === ids.length ? list : undefined;
    });
    const tookMs = performance.now() - beganAt;
    assert.equal(acked, ids);
    await told.running.stop();
    const used = told.used[0];
    assert.ok((used?.cpuWaitMs ?? 0) > 0, 'it has waited, and that is counted');
    assert.is(used?.messageWaitMs, 0);
    // What it saved up, its share of the time, and the last turn, which may be overdrawn.
    const most = 30 + cpuShare * tookMs + 60;
    assert.ok((used?.cpuMs ?? 0) <= most, `${used?.cpuMs} ms of CPU time in ${tookMs} ms`);
  });

  test('messages per second hold over time: the next turn waits, and none is lost', async ({
    host,
    code,
  }) => {
    const told = startNoting(host, {
      module: 'talker',
      code: code('echo'),
      limits: { heapMb: 32, startMs: 5_000, turnMs: 2_000, messagesPerSecond: 200 },
    });
    const neighbour = startNoting(host, { module: 'neighbour', code: code('echo') });
    await Promise.all([startOf(told), startOf(neighbour)]);
    const sent = (): readonly number[] =>
      told.requests.flatMap((one) => (one.t === 'send' ? one.call : []));
    const batch = (from: number, count: number): void => {
      const events = Array.from({ length: count }, (_, index) => input(from + index, 'x'));
      told.running.post(
        events,
        events.map(() => undefined),
      );
    };
    const beganAt = performance.now();
    // A second's worth is free, another second's is owed.
    batch(1, 400);
    await until(LIMIT_MS, 'the burst', () => sent().length === 400);
    batch(401, 1);
    batch(402, 1);
    neighbour.running.post([input(1, 'go')], [undefined]);
    await until(LIMIT_MS, 'the neighbour', () => neighbour.requests.some(({ t }) => t === 'ack'));
    assert.is(sent().length, 400, 'the neighbour does not wait for it');
    await until(LIMIT_MS, 'the rest', () => sent().length === 402);
    const tookMs = performance.now() - beganAt;
    assert.ok(tookMs >= 900, `it was slowed down for ${tookMs} ms`);
    assert.equal(
      sent(),
      Array.from({ length: 402 }, (_, index) => index + 1),
    );
    await Promise.all([told.running.stop(), neighbour.running.stop()]);
    assert.ok((told.used[0]?.messageWaitMs ?? 0) > 0, 'it has waited, and that is counted');
  });

  test('a module that waits for its pace can be stopped', async ({ host, code }) => {
    const told = startNoting(host, {
      module: 'waiter',
      code: code('works'),
      limits: { heapMb: 32, startMs: 5_000, turnMs: 2_000, cpuShare: 0.01 },
    });
    await startOf(told);
    for (const id of [1, 2]) told.running.post([input(id, 'go')], [undefined]);
    await within(LIMIT_MS, 'stop', told.running.stop());
    assert.is(told.endings[0]?.cause, 'stopped');
  });

  test('the memory of its host is told with who shares it', async ({ host, code }) => {
    const told = startNoting(host, { module: 'tenant', code: code('echo') });
    await startOf(told);
    const find = () => host.memory().find(({ modules }) => modules.includes('tenant'));
    const memory = find();
    assert.is(memory?.pid, host.processes()['shared']);
    assert.ok((memory?.residentBytes ?? 0) > 1_000_000);
    await told.running.stop();
    assert.is(find(), undefined);
  });

  test('stop ends a module once, and twice is once', async ({ host, code }) => {
    const told = startNoting(host, { module: 'three', code: code('echo') });
    const stops = Promise.all([told.running.stop(), told.running.stop()]);
    await within(LIMIT_MS, 'stop', stops);
    assert.equal(
      told.endings.map(({ cause, exitCode }) => [cause, exitCode]),
      [['stopped', 0]],
    );
    assert.is(told.calls.at(-1), 'ended');
    told.running.post([input(1, 'late')], [undefined]);
    await within(LIMIT_MS, 'stop after the end', told.running.stop());
    assert.is(told.endings.length, 1);
  });

  for (const [program, expected] of [
    ['throws later', /bad later/],
    ['rejects', /bad promise/],
    ['breaks the treaty', /broke the treaty/],
  ] as const) {
    test(`a module that ${program} ends in error, and its neighbour goes on`, async ({
      host,
      code,
    }) => {
      const neighbour = startNoting(host, { module: 'neighbour', code: code('echo') });
      const told = startNoting(host, { module: 'bad', code: code(program) });
      await startOf(told);
      told.running.post([input(1, 'go')], [undefined]);
      const ending = await endOf(told);
      assert.is(ending.cause, 'error');
      assert.is(ending.exitCode, 1);
      assert.match(ending.reason, expected);
      neighbour.running.post([input(9, 'there?')], [undefined]);
      await until(LIMIT_MS, 'the neighbour answers', () =>
        neighbour.requests.some((one) => one.t === 'ack'),
      );
      await within(LIMIT_MS, 'stop after an error', told.running.stop());
      await neighbour.running.stop();
      assert.equal([told.endings.length, neighbour.endings.length], [1, 1]);
    });
  }

  test('an error at load ends a module that never started', async ({ host, code }) => {
    const told = startNoting(host, { module: 'bad', code: code('throws at load') });
    const ending = await endOf(told);
    assert.is(ending.cause, 'error');
    assert.match(ending.reason, /bad at load/);
    assert.not(told.calls.includes('started'));
  });

  test('process.exit ends with its code, after what was asked before', async ({ host, code }) => {
    const told = startNoting(host, { module: 'leaver', code: code('exits') });
    await startOf(told);
    told.running.post([input(1, 'go')], [undefined]);
    const ending = await endOf(told);
    assert.equal([ending.cause, ending.exitCode], ['exited', 7]);
    assert.equal(told.requests, [{ t: 'log', level: 'info', text: 'bye' }]);
  });

  test('an ended module can be started again', async ({ host, code }) => {
    for (let round = 0; round < 3; round++) {
      const told = startNoting(host, { module: 'again', code: code('echo') });
      await startOf(told);
      await told.running.stop();
    }
  });

  test('stopping the host stops its modules', async ({ code }) => {
    const { host } = create();
    const told = startNoting(host, { module: 'last', code: code('echo') });
    await startOf(told);
    await within(LIMIT_MS, 'the host stops', host.stop());
    assert.equal(
      told.endings.map(({ cause }) => cause),
      ['stopped'],
    );
    assert.equal(host.processes(), {});
  });

  return test;
}
