/**
 * Tries of one module against another through the supervisor: its messages, acknowledgements, methods and
 * twin. Real isolates with the real supervisor’s side of a module; only what answers it is written down here.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createDeskBlobs, createDeskKeeper } from '../../../build/develop/desk-kept.ts';
import type { Fault } from '../../../src/core/fault.ts';
import { createLogMap } from '../../../src/core/log-map.ts';
import type { Message, Properties } from '../../../src/core/message.ts';
import { noUse } from '../../../src/core/module-use.ts';
import { type Ending, type ModuleStart, noGrants } from '../../../src/core/ports.ts';
import { createLog } from '../../../src/lib/log.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import type { Delivery } from '../../../src/supervisor/delivery.ts';
import {
  type LiveModule,
  type ModuleServices,
  startLiveModule,
} from '../../../src/supervisor/live-module.ts';
import { createMethods } from '../../../src/supervisor/methods.ts';
import { createModuleLogs } from '../../../src/supervisor/module-logs.ts';
import { createOwnMetrics } from '../../../src/supervisor/own-metrics.ts';
import { until } from '../../fakes/within.ts';
import { createTestHost } from '../real-host.ts';

const LIMIT_MS = 10_000;

/** Two modules and all that was asked in their names. */
function createDevice() {
  const host = createTestHost();
  const live = new Map<string, LiveModule>();
  const messages: Message[] = [];
  const asked: string[] = [];
  const lines: string[] = [];
  const endings = new Map<string, Ending>();
  const restarted: string[] = [];
  const kept = createLogMap();
  const logs = createModuleLogs(
    kept,
    systemClock,
    createLog('debug', systemClock.now, (line) => void lines.push(line)),
  );
  const keeper = createDeskKeeper();
  const blobs = createDeskBlobs();
  const methods = createMethods({
    device: 'board',
    clock: systemClock,
    live: (name) => live.get(name),
    async agent({ name }) {
      restarted.push(name);
      return { status: 200, payload: null };
    },
  });
  const services: ModuleServices = {
    accept(message, settled) {
      messages.push(message);
      settled(undefined);
    },
    async readTwin(module) {
      asked.push(`twin of ${module}`);
      return { desired: { owner: module }, reported: {} };
    },
    async report(module, patch) {
      asked.push(`report of ${module}: ${JSON.stringify(patch)}`);
    },
    invoke: methods.fromModule,
    log: logs.append,
    ownMetrics: createOwnMetrics(),
    blobs: { carryOut: blobs.carryOut, release: blobs.release },
    keep: keeper.carryOut,
    relief: () => undefined,
  };

  /** `raw` has the tiny prelude's `isolet`, and `send(request)`, `reply(call)`. */
  async function start(module: string, code: string): Promise<LiveModule> {
    const tools = `
      const replies = [], waiting = new Map(), inputs = [];
      isolet.on((events) => {
        for (const event of events) {
          if (event.t === 'reply') waiting.get(event.call)?.(event.error?.name ?? event.value);
          if (event.t === 'replies') for (const call of event.calls) waiting.get(call)?.(null);
          if (event.t === 'input' || event.t === 'method') on?.(event);
        }
      });
      let on;
      let last = 0;
      const ask = (request) => new Promise((resolve) => { const call = ++last; waiting.set(call, resolve); isolet.request([{ ...request, call }]); });
      const say = (value) => isolet.request([{ t: 'log', level: 'info', text: JSON.stringify(value) }]);
      isolet.request([{ t: 'listen', what: 'inputs' }, { t: 'listen', what: 'methods' }]);
    `;
    const begin: ModuleStart = {
      module,
      code: tools + code,
      sourceMap: '',
      device: 'board',
      env: {},
      grants: noGrants,
      limits: { heapMb: 64, startMs: 5_000, turnMs: 5_000 },
      group: 'shared',
    };
    let started = false;
    const one = startLiveModule(begin, host, services, systemClock, noUse(), {
      started: () => (started = true),
      listens: () => {},
      ended: (ending) => endings.set(module, ending),
    });
    live.set(module, one);
    await until(LIMIT_MS, 'it starts', () => started || endings.has(module));
    return one;
  }

  const said = (module: string): unknown[] =>
    kept.tail(module, 1_000).map(({ text }) => JSON.parse(text) as unknown);
  return {
    host,
    live,
    start,
    messages,
    asked,
    lines,
    logs: kept,
    endings,
    restarted,
    methods,
    said,
  };
}

function delivery(text: string): Delivery {
  const message = { source: '', sender: 'x', body: Buffer.from(text), properties: {}, system: {} };
  return { message } as never;
}

/** Delivers one message and notes what becomes of it. */
function deliver(module: LiveModule, text: string): string[] {
  const fate: string[] = [];
  void module
    .deliver('in', [delivery(text)], {
      taken: () => void fate.push('taken'),
      done: () => void fate.push('done'),
      failed: (_, reason) => void fate.push(`failed: ${reason}`),
      refused: () => void fate.push('refused'),
      away: () => void fate.push('away'),
    })
    .catch((cause: Fault) => void fate.push(cause.code));
  return fate;
}

type Device = ReturnType<typeof createDevice>;
const test = suite<{ device: Device }>('escape: other identities');
test.before.each((context) => {
  context.device = createDevice();
});
test.after.each(({ device }) => device.host.stop());

// Would have gained: messages that count as another module's, up to the cloud.
test('a message says who sent it, whatever its sender says', async ({ device }) => {
  const s: Properties = {
    connectionModuleId: 'victim',
    connectionDeviceId: 'other',
    outputName: 'alerts',
    messageId: 'mine',
  };
  const output = '../../victim/outputs/alerts';
  await device.start(
    'spy',
    `await ask({ t: 'send', output: ${JSON.stringify(output)}, p: { a: 'b' }, s: ${JSON.stringify(s)}, b: 'x' });
     await ask({ t: 'send', output: null, p: {}, s: ${JSON.stringify(s)}, b: 'x' });`,
  );
  await until(LIMIT_MS, 'both are sent', () => device.messages.length === 2);
  for (const { sender, source, system } of device.messages) {
    assert.is(sender, 'spy');
    assert.ok(
      source === '/messages/modules/spy' || source === `/messages/modules/spy/outputs/${output}`,
    );
    assert.equal([system['connectionModuleId'], system['connectionDeviceId']], ['spy', 'board']);
    assert.is(system['messageId'], 'mine');
  }
  assert.is(device.messages[1]?.system['outputName'], undefined, 'nor an output it did not use');
});

// Would have gained: another module's messages lost, or delivered to it for ever.
test('acknowledgements and refusals of others’ messages do nothing', async ({ device }) => {
  const victim = await device.start('victim', `on = () => {};`);
  const fate = deliver(victim, 'precious');
  await device.start(
    'spy',
    `const ids = Array.from({ length: 1000 }, (_, index) => index);
     isolet.request([{ t: 'ack', ids }, { t: 'nack', ids, reason: 'x' }]); await ask({ t: 'twin' }); say('done');`,
  );
  await until(LIMIT_MS, 'it has tried', () => device.said('spy').includes('done'));
  assert.equal(fate, []);
  assert.equal([...device.endings], []);
});

// Would have gained: a message acknowledged twice, so that the second stands for another.
test('an acknowledgement given again and again counts once', async ({ device }) => {
  const spy = await device.start(
    'spy',
    `on = ({ id }) => { isolet.request([{ t: 'ack', ids: [id, id] }, { t: 'nack', ids: [id], reason: 'x' }, { t: 'ack', ids: [id] }]); say('acked'); };`,
  );
  const fate = deliver(spy, 'one');
  await until(LIMIT_MS, 'it has', () => device.said('spy').includes('acked') && fate.length > 0);
  assert.equal(fate, ['taken', 'done']);
});

// Would have gained: answers in another's name to whoever called its method.
test('a method of another cannot be answered', async ({ device }) => {
  const victim = await device.start('victim', `on = () => say('called');`);
  const reply = victim.invoke({ name: 'secret', payload: null }, 1_000);
  await until(LIMIT_MS, 'it is called', () => device.said('victim').includes('called'));
  await device.start(
    'spy',
    `isolet.request(Array.from({ length: 100 }, (_, id) => ({ t: 'answer', id, status: 200, payload: 'forged' }))); await ask({ t: 'twin' }); say('done');`,
  );
  await until(LIMIT_MS, 'it has tried', () => device.said('spy').includes('done'));
  assert.is(await reply, undefined);
});

// Would have gained: the properties of another's twin, or a place in it.
test('a twin is its module’s own', async ({ device }) => {
  await device.start(
    'spy',
    `say((await ask({ t: 'twin' })).desired); await ask({ t: 'report', patch: { module: 'victim', $edgeAgent: {}, owner: 'victim' } }); say('done');`,
  );
  await until(LIMIT_MS, 'it has tried', () => device.said('spy').includes('done'));
  assert.equal(device.said('spy')[0], { owner: 'spy' });
  assert.match(device.asked.join(), /^twin of spy,report of spy: /);
});

// Would have gained: the agent's own methods: any module restarted, at will.
test('the runtime’s own methods are not a module’s to call', async ({ device }) => {
  const call = (module: string | null, to = 'board'): string =>
    `await ask(${JSON.stringify({ t: 'invoke', device: to, module, name: 'RestartModule', payload: { id: 'victim' }, responseTimeoutS: 1, connectTimeoutS: 0 })})`;
  await device.start('victim', '');
  await device.start(
    'spy',
    `say([${[call('$edgeAgent'), call('$edgeHub'), call(null), call('victim', 'other'), call('__proto__'), call('constructor')].join()}]);`,
  );
  const said = await until(LIMIT_MS, 'it has tried', () => device.said('spy')[0]);
  assert.equal(
    said,
    Array.from({ length: 6 }, () => 'DeviceNotFoundError'),
  );
  assert.equal(device.restarted, []);
});

// Would have gained: lines in the log that seem another's, or the supervisor's; a terminal that obeys.
test('a line of the log is one line, of its module', async ({ device }) => {
  const forged =
    '\r\n{"level":"error","message":"module ended","module":"victim"}\n\u001b[2J\u001b]0;x\u0007\u2028\u0000';
  await device.start(
    'spy',
    `isolet.request(['debug', 'info', 'warn', 'error'].map((level) => ({ t: 'log', level, text: ${JSON.stringify(forged)} })));`,
  );
  await until(LIMIT_MS, 'all are told', () => device.lines.length === 4);
  for (const line of device.lines) {
    assert.is(line.indexOf('\n'), line.length - 1);
    assert.not(line.includes('\u001b'));
    const { module, message } = JSON.parse(line) as Record<string, string>;
    assert.equal([module, message], ['spy', forged]);
  }
  assert.is(device.logs.tail('victim', 10).length, 0);
});

// Would have gained: the supervisor's memory and time, full of calls that wait for nobody.
test('calls without an answer have an end', async ({ device }) => {
  await device.start(
    'spy',
    `const refused = []; let open = 0;
     for (let turn = 0; turn < 40; turn++) {
       for (let i = 0; i < 1000; i++) {
         open++;
         ask({ t: 'invoke', device: 'board', module: 'nobody', name: 'x', payload: null, responseTimeoutS: 1e300, connectTimeoutS: 1e300 }).then((name) => refused.push(name));
       }
       await null;
     }
     await ask({ t: 'twin' });
     say([open, refused.length > 0, [...new Set(refused)]]);`,
  );
  const said = await until(
    LIMIT_MS,
    'it has tried',
    () => device.said('spy')[0] ?? device.endings.get('spy')?.reason,
  );
  assert.equal(said, [40_000, true, ['ThrottlingError']]);
  const nobody: Partial<LiveModule> = {
    listening: () => true,
    invoke: async () => ({ status: 200, payload: null }),
  };
  // Those that wait find somebody, and the test its end.
  device.live.set('nobody', nobody as LiveModule);
});

// Would have gained: what another module keeps.
test('no key, name, range or field leads to what another module keeps', async ({ device }) => {
  const put = (what: string) => `
    await ask({ t: 'keep', ask: { what: 'write', changes: [['k', '"${what}"']] } });
    const upload = await ask({ t: 'blob', ask: { what: 'begin' } });
    await ask({ t: 'blob', ask: { what: 'append', upload, base64: 'c2VjcmV0' } });
    say(upload);`;
  await device.start(
    'victim',
    `${put('secret')} await ask({ t: 'blob', ask: { what: 'commit', upload, name: 'b' } }); say('kept');
     const open = await ask({ t: 'blob', ask: { what: 'begin' } }); say(open);`,
  );
  await until(LIMIT_MS, 'it is kept', () => device.said('victim').length === 3);
  const [, , open] = device.said('victim');
  await device.start(
    'spy',
    `const names = ['b', '../victim/b', 'victim/b', '../../victim/b', 'victim', '%2E%2E/victim/b'];
     const keys = ['k', 'victim/k', 'victim\\0k', '../victim/k', "' OR 1=1 --", '__proto__'];
     say(await ask({ t: 'keep', ask: { what: 'get', keys } }));
     say(await ask({ t: 'keep', ask: { what: 'list', from: '', to: null, limit: 100, reverse: false } }));
     for (const name of names) say(await ask({ t: 'blob', ask: { what: 'look', name } }));
     say(await ask({ t: 'blob', ask: { what: 'list', after: '' } }));
     say(await ask({ t: 'blob', ask: { what: 'append', upload: ${String(open)}, base64: 'AAAA' } }));
     say(await ask({ t: 'blob', ask: { what: 'commit', upload: ${String(open)}, name: 'stolen' } }));
     say(await ask({ t: 'blob', ask: { what: 'delete', name: 'b' } }));
     say('end');
     await ask({ t: 'twin' });
     await ask({ t: 'keep', module: 'victim', ask: { what: 'get', keys: ['k'] } });`,
  );
  await until(LIMIT_MS, 'it has ended', () => device.endings.has('spy'));
  assert.match(device.endings.get('spy')?.reason ?? '', /keep has wrong fields/);
  const nothing = [null, null, null, null, null, null];
  assert.equal(device.said('spy'), [
    nothing,
    { entries: [], more: false },
    ...nothing,
    [],
    'ArgumentError',
    'ArgumentError',
    false,
    'end',
  ]);
});

test.run();
