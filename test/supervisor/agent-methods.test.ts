import { gunzipSync, gzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import type { Json, JsonObject } from '../../src/core/json.ts';
import { createLogMap } from '../../src/core/log-map.ts';
import type { BlobWrite } from '../../src/core/uploads.ts';
import { type BundleWish, createAgentMethods } from '../../src/supervisor/agent-methods.ts';
import { createAgentTasks } from '../../src/supervisor/agent-tasks.ts';
import { createModuleLogs } from '../../src/supervisor/module-logs.ts';
import { createFakeClock, settle } from '../fakes/clock.ts';
import { createFakeLog } from '../fakes/log.ts';
import { within } from '../fakes/within.ts';

const test = suite('agent methods');

const NOW = Date.UTC(2026, 10, 23, 16, 30, 15);

function setUp() {
  const clock = createFakeClock(NOW);
  const log = createFakeLog();
  const shelf = createLogMap();
  const logs = createModuleLogs(shelf, clock, log);
  const tasks = createAgentTasks({ clock, log, random: Math.random });
  const uploads: (Omit<BlobWrite, 'content'> & { readonly text: string })[] = [];
  const wishes: BundleWish[] = [];
  const restarted: string[] = [];
  /** How the next uploads go: undefined = they wait for `finish`. */
  const world = { upload: async (): Promise<void> => {} };
  const call = createAgentMethods({
    place: { hub: 'hub.example', device: 'edge' },
    clock,
    logs,
    modules: () => ['tempSensor', 'filter'],
    tasks,
    restart(module) {
      restarted.push(module);
      return module === 'filter'
        ? undefined
        : `Module ${module} not found in the current environment`;
    },
    tools: async () => ({
      open(sasUrl) {
        if (!sasUrl.startsWith('https:')) throw new Fault('UPLOAD_REFUSED', 'sasUrl is no URL');
        return {
          async write({ content, ...blob }) {
            const parts: Uint8Array[] = [];
            for await (const part of content) parts.push(part);
            await world.upload();
            uploads.push({ ...blob, text: Buffer.concat(parts).toString() });
          },
        };
      },
      gzip: async (bytes) => gzipSync(bytes),
      async *supportBundle(wish) {
        wishes.push(wish);
        yield Buffer.from('zip');
      },
    }),
  });
  const ask = async (name: string, payload: Json = null) =>
    await within(5_000, name, call({ name, payload }));
  const said = (module: string, text: string, level: 'info' | 'warn' | 'error' = 'info') =>
    logs.append(module, level, text);
  return { clock, log, ask, said, logs, tasks, uploads, wishes, restarted, world };
}

const v1 = (rest: JsonObject = {}): JsonObject => ({ schemaVersion: '1.0', ...rest });
const SAS = 'https://a.example/logs?sig=secret';
const message = ({ payload }: { readonly payload: Json }): string =>
  (payload as { message: string }).message;

test('names in any case; unknown ones are told all there are', async () => {
  const { ask } = setUp();
  assert.equal(await ask('PING', { what: 'ever' }), { status: 200, payload: null });
  const unknown = await ask('reboot');
  assert.is(unknown.status, 400);
  assert.is(
    message(unknown),
    "Command 'reboot' not found. The supported commands are - ping, RestartModule, GetModuleLogs, UploadModuleLogs, UploadSupportBundle, GetTaskStatus",
  );
});

test('schema versions: needed, major 1, any minor; names of fields in any case', async () => {
  const { ask, restarted } = setUp();
  for (const [payload, status] of [
    [null, 400],
    ['text', 400],
    [[], 400],
    [{ id: 'filter' }, 400],
    [{ schemaVersion: '', id: 'filter' }, 400],
    [{ schemaVersion: '2.0', id: 'filter' }, 500],
    [{ schemaVersion: 'x', id: 'filter' }, 500],
    [{ schemaVersion: '1.0' }, 400],
    [{ schemaVersion: '1.0', id: 3 }, 400],
    [{ schemaVersion: '1.0', id: 'nobody' }, 500],
    [{ schemaVersion: '1.7', id: 'filter' }, 200],
    [{ SchemaVersion: '1.0', Id: 'filter' }, 200],
  ] as const) {
    const reply = await ask('restartmodule', payload as Json);
    assert.is(reply.status, status, JSON.stringify(payload));
    assert.is(reply.payload === null, status === 200);
    if (status !== 200) assert.ok(message(reply).length > 10);
  }
  assert.equal(restarted, ['nobody', 'filter', 'filter']);
});

test('GetModuleLogs: text, JSON, gzip, in the order of modules', async () => {
  const { ask, said } = setUp();
  said('tempSensor', 'hot', 'warn');
  said('filter', 'passed');
  const text = '<4> 2026-11-23 16:30:15.000 +00:00 [WRN] - hot\n';
  const one = v1({ items: { id: 'temp' } });
  assert.equal(await ask('GetModuleLogs', one), {
    status: 200,
    payload: [{ id: 'tempSensor', payloadBytes: null, payload: text }],
  });
  const zipped = await ask('GetModuleLogs', { ...one, encoding: 'gzip' });
  const [element] = zipped.payload as [{ payloadBytes: string; payload: null }];
  assert.is(element.payload, null);
  assert.is(gunzipSync(Buffer.from(element.payloadBytes, 'base64')).toString(), text);
  for (const contentType of ['json', 'JSON', null]) {
    const json = await ask('GetModuleLogs', { ...one, contentType });
    const lines = JSON.parse((json.payload as [{ payload: string }])[0].payload) as Json[];
    assert.equal(lines, [
      {
        iothub: 'hub.example',
        device: 'edge',
        id: 'tempSensor',
        stream: 'stderr',
        loglevel: 4,
        text: 'hot',
        timestamp: '2026-11-23T16:30:15.000+00:00',
      },
    ]);
  }
  const all = await ask('GetModuleLogs', v1({ items: [{ id: 'all' }], contentType: 'json' }));
  const ids = (all.payload as { id: string; payload: string }[]).map(({ id }) => id);
  assert.equal(ids, ['edgeAgent', 'edgeHub', 'tempSensor', 'filter']);
  assert.is((all.payload as { payload: string }[])[0]?.payload, '[]');
  const none = await ask('GetModuleLogs', v1({ items: [{ id: 'nobody' }] }));
  assert.equal(none, { status: 200, payload: [] });
});

test('filters: time, level and all more serious ones, words, then the last of what is left', async () => {
  const { clock, ask, said } = setUp();
  const rows = ['info', 'warn', 'error'] as const;
  for (let minute = 0; minute < 30; minute++) {
    said('filter', `line ${minute}`, rows[minute % 3]);
    await clock.advance(60_000);
  }
  const texts = async (filter: JsonObject): Promise<string> => {
    const { payload } = await ask('GetModuleLogs', v1({ items: [{ id: '^FILTER$', filter }] }));
    return (payload as [{ payload: string }])[0].payload
      .split('\n')
      .map((line) => line.split('line ')[1])
      .filter((word) => word !== undefined)
      .join(' ');
  };
  assert.is(await texts({ tail: 3 }), '27 28 29');
  assert.is(await texts({ tail: 0 }), '');
  assert.is(await texts({ since: '3m' }), '27 28 29');
  assert.is(await texts({ since: '5m', until: '3m' }), '25 26 27');
  assert.is(await texts({ until: new Date(NOW + 60_000).toISOString() }), '0 1');
  assert.is(await texts({ since: NOW / 1_000 + 1_700 }), '29');
  assert.is(await texts({ loglevel: 3, tail: 2 }), '26 29');
  assert.is(await texts({ loglevel: 4, tail: 3 }), '26 28 29');
  assert.is(await texts({ regex: 'line 1.$', tail: 2 }), '18 19');
  assert.is(await texts({ regex: '(?i)LINE 2$' }), '2');
  assert.is(await texts({ regex: 'LINE 2$' }), '');
});

test('the first item that matches a module counts', async () => {
  const { ask, said } = setUp();
  for (const text of ['a', 'b']) said('filter', text);
  const items = [
    { id: 'fil', filter: { tail: 1 } },
    { id: 'filter', filter: { tail: 2 } },
  ];
  const { payload } = await ask('GetModuleLogs', v1({ items }));
  assert.is((payload as Json[]).length, 1);
  assert.match((payload as [{ payload: string }])[0].payload, /^\S+ \S+ \S+ \S+ \[INF\] - b\n$/);
});

test('all that is wrong with a request is told at once', async () => {
  const { ask } = setUp();
  const filter = { tail: -1, since: 'soon', until: {}, loglevel: 9, regex: '(' };
  const reply = await ask(
    'GetModuleLogs',
    v1({
      items: [{ id: '[', filter }, {}, { id: 'a', filter: 3 }],
      encoding: 'zip',
      contentType: 1,
    }),
  );
  assert.is(reply.status, 400);
  for (const words of [
    'items[0].id: "[" is no regular expression',
    'items[0].filter.tail must be',
    'items[0].filter.since must be',
    'items[0].filter.until must be',
    'items[0].filter.loglevel must be',
    'items[0].filter.regex: "("',
    'items[1].id is missing',
    'items[2].filter must be an object',
    'encoding must be none or gzip',
    'contentType must be text or json',
  ]) {
    assert.ok(message(reply).includes(words), `${words} in ${message(reply)}`);
  }
  for (const items of [undefined, null, []]) {
    const none = await ask('GetModuleLogs', items === undefined ? v1() : v1({ items }));
    assert.is(none.status, 400);
    assert.match(message(none), /items is missing/);
  }
});

test('an answer of more than 127000 bytes is refused with advice; compressed it may do', async () => {
  const { ask, said } = setUp();
  for (let index = 0; index < 900; index++) said('filter', `${index} ${'ä'.repeat(80)}`);
  const items = [{ id: 'filter' }];
  const reply = await ask('GetModuleLogs', v1({ items }));
  assert.is(reply.status, 400);
  assert.match(message(reply), /127000 bytes.*filters.*UploadModuleLogs/);
  assert.is((await ask('GetModuleLogs', v1({ items, encoding: 'gzip' }))).status, 200);
});

test('a regular expression that runs away is stopped', async () => {
  const { ask, said } = setUp();
  said('filter', `${'a'.repeat(40)}!`);
  const items = [{ id: 'filter', filter: { regex: '^(a+)+$' } }];
  const reply = await ask('GetModuleLogs', v1({ items }));
  assert.is(reply.status, 400);
  assert.match(message(reply), /takes too long/);
});

test('UploadModuleLogs: a task; a blob for each module, named as IoT Edge names it', async () => {
  const { ask, said, uploads, log } = setUp();
  said('tempSensor', 'hot');
  const request = v1({ sasUrl: SAS, items: [{ id: 'tempSensor' }, { id: 'filter' }] });
  const started = await ask('UploadModuleLogs', request);
  assert.is(started.status, 200);
  const { correlationId, ...state } = started.payload as { correlationId: string };
  assert.equal(state, { status: 'Running', message: '' });
  assert.match(correlationId, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
  await settle();
  await settle();
  assert.equal((await ask('GetTaskStatus', v1({ correlationId }))).payload, {
    status: 'Completed',
    message: '',
    correlationId,
  });
  assert.equal(uploads, [
    {
      name: 'hub.example/edge/tempSensor-2026-11-23--16-30-15.log',
      kind: 'append',
      contentType: 'text/plain',
      gzip: false,
      text: '<6> 2026-11-23 16:30:15.000 +00:00 [INF] - hot\n',
    },
    {
      name: 'hub.example/edge/filter-2026-11-23--16-30-15.log',
      kind: 'append',
      contentType: 'text/plain',
      gzip: false,
      text: '',
    },
  ]);
  uploads.length = 0;
  await ask('UploadModuleLogs', { ...request, contentType: 'json', encoding: 'gzip' });
  await settle();
  await settle();
  assert.equal(
    uploads.map(({ name, kind, contentType, gzip }) => [
      name.split('.').slice(2),
      kind,
      contentType,
      gzip,
    ]),
    Array.from({ length: 2 }, () => [['json', 'gz'], 'block', 'application/json', true]),
  );
  assert.not.match(JSON.stringify(log.entries), 'secret');
});

test('tasks: what fails says why, what nobody knows is Unknown, too many are refused', async () => {
  const { ask, world, tasks, clock } = setUp();
  const request = v1({ sasUrl: SAS, items: { id: 'filter' } });
  const idOf = async (): Promise<string> =>
    ((await ask('UploadModuleLogs', request)).payload as { correlationId: string }).correlationId;
  const stateOf = async (correlationId: string): Promise<Json> =>
    (await ask('GetTaskStatus', v1({ correlationId }))).payload;
  world.upload = async () => {
    throw new Fault('UPLOAD_REFUSED', 'no such container');
  };
  const failed = await idOf();
  await settle();
  assert.equal(await stateOf(failed), {
    status: 'Failed',
    message: 'Task upload logs failed because of error no such container',
    correlationId: failed,
  });
  assert.equal(await stateOf('nobody'), {
    status: 'Unknown',
    message: '',
    correlationId: 'nobody',
  });
  assert.is((await ask('GetTaskStatus', v1())).status, 400);

  const hanging: (() => void)[] = [];
  world.upload = () =>
    new Promise((_, reject) => hanging.push(() => reject(new Error('given up'))));
  const ids: string[] = [];
  for (let index = 0; index < 22; index++) ids.push(await idOf());
  await settle();
  assert.equal(((await stateOf(ids[1] as string)) as JsonObject)['status'], 'Running');
  assert.equal(((await stateOf(ids[2] as string)) as JsonObject)['status'], 'NotStarted');
  const refused = await ask('UploadModuleLogs', request);
  assert.is(refused.status, 500);
  assert.match(message(refused), /too many uploads/);
  await clock.advance(30 * 60_000);
  for (const giveUp of hanging.splice(0)) giveUp();
  await settle();
  const late = (await stateOf(ids[0] as string)) as { message: string };
  assert.match(late.message, /it took longer than 30 minutes/);
  const stopping = tasks.stop();
  await settle();
  hanging.pop()?.();
  await clock.advance(1_000);
  await within(5_000, 'the stop', stopping);
  assert.is(((await stateOf(ids.at(-1) as string)) as JsonObject)['status'], 'Cancelled');
});

test('UploadSupportBundle', async () => {
  const { ask, uploads, wishes } = setUp();
  for (const [payload, words] of [
    [v1(), /sasUrl is missing/],
    [v1({ sasUrl: 'nonsense' }), /sasUrl is no URL/],
    [v1({ sasUrl: SAS, since: 'soon' }), /since must be a time/],
    [v1({ sasUrl: SAS, edgeRuntimeOnly: 'yes' }), /edgeRuntimeOnly must be true or false/],
  ] as const) {
    const reply = await ask('UploadSupportBundle', payload);
    assert.is(reply.status, 400);
    assert.match(message(reply), words);
  }
  const reply = await ask(
    'UploadSupportBundle',
    v1({ sasUrl: SAS, since: '2d', until: '1d', edgeRuntimeOnly: true }),
  );
  assert.is((reply.payload as { status: string }).status, 'Running');
  await settle();
  assert.equal(uploads, [
    {
      name: 'hub.example/edge/support-bundle-2026-11-23--16-30-15.zip',
      kind: 'block',
      contentType: 'application/zip',
      gzip: false,
      text: 'zip',
    },
  ]);
  const day = 86_400_000;
  assert.equal(wishes, [{ sinceMs: NOW - 2 * day, untilMs: NOW - day, runtimeOnly: true }]);
});

test.run();
