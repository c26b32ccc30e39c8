/** Trouble on demand: each fault, as a device meets it, and the command that makes it. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { askControlDoor } from '../../src/emulator/control-door.ts';
import { until, within } from '../fakes/within.ts';
import { listEvents, newFolder, rest, startHub } from './hub-kit.ts';
import { connectRaw, endRawClients, packetClient } from './raw-mqtt.ts';

type Context = { hub: Awaited<ReturnType<typeof startHub>>; device: string };
const test = suite<Context>('faults');
const EVENTS = 'devices/d1/messages/events/';

test.before(async (context) => {
  const chances = [0.05, 0.5];
  context.hub = await startHub({
    settings: { throttledAckMs: 300 },
    chance: () => chances.shift() ?? 0.9,
  });
  context.device = context.hub.createDevice('d1');
});
test.after.each(({ hub }) => {
  hub.faults.clear();
  endRawClients();
});
test.after(async ({ hub }) => await hub.forget());

const codeOf = async (attempt: Promise<unknown>): Promise<number> =>
  await attempt.then(
    () => 0,
    (error: { code: number }) => error.code,
  );

test('--drop-acks: the message is kept, its PUBACK is not sent', async ({ hub, device }) => {
  const client = await packetClient(hub, device);
  await until(5_000, 'CONNACK', () => client.packets[0]);
  hub.faults.change({ dropAcks: 0.1 });
  for (const messageId of [1, 2]) {
    const packet = { cmd: 'publish', qos: 1, dup: false, retain: false, topic: EVENTS } as const;
    client.send({ ...packet, messageId, payload: String(messageId) });
  }
  // The dice fall on 0.05 and 0.5: the first is dropped.
  const ack = await until(5_000, 'a PUBACK', () =>
    client.packets.find(({ cmd }) => cmd === 'puback'),
  );
  assert.is(ack.messageId, 2);
  assert.is(hub.counters.acksDropped, 1);
  assert.equal(
    (await listEvents(hub, 'device=d1')).map(({ body }) => body),
    ['1', '2'],
  );
  client.end();
});

test('--delay: everything comes later, and in order', async ({ hub, device }) => {
  hub.faults.change({ delayMs: 300 });
  const startedAt = performance.now();
  const { client, received } = await connectRaw(hub, device);
  const connectedAfterMs = performance.now() - startedAt;
  await client.subscribeAsync('$iothub/twin/res/#');
  client.publish('$iothub/twin/GET/?$rid=1', '');
  client.publish('$iothub/twin/GET/?$rid=2', '');
  await until(5_000, 'two answers', () => received.length === 2);
  const tookMs = performance.now() - startedAt;
  assert.ok(connectedAfterMs >= 290 && tookMs >= 890, `${connectedAfterMs}, ${tookMs}`);
  assert.match(received[0]?.topic ?? '', /\$rid=1$/);
  // A goodbye that is late arrives all the same.
  const refused = await codeOf(connectRaw(hub, device.replace('=d1', '=d2')));
  assert.is(refused, 5);
});

test('--throttle: CONNACK 3, 429 for REST and twins, late PUBACKs', async ({ hub, device }) => {
  const { client, received } = await connectRaw(hub, device);
  await client.subscribeAsync('$iothub/twin/res/#');
  hub.faults.change({ throttle: true });
  assert.is(await codeOf(connectRaw(hub, device)), 3);
  const reply = await rest(hub, 'GET', '/devices/d1');
  assert.is(reply.status, 429);
  assert.match(reply.json.Message, /^ErrorCode:ThrottlingException;/);
  client.publish('$iothub/twin/GET/?$rid=1', '');
  const answer = await until(5_000, 'an answer', () => received[0]);
  assert.is(answer.topic, '$iothub/twin/res/429/?$rid=1');
  assert.is(JSON.parse(answer.text).errorCode, 429_001);
  const startedAt = performance.now();
  await within(5_000, 'PUBACK', client.publishAsync(EVENTS, 'late', { qos: 1 }));
  assert.ok(performance.now() - startedAt >= 290);
});

test('--quota: CONNACK 3, 403002, and who sends is cut off', async ({ hub, device }) => {
  const { client, closed } = await connectRaw(hub, device);
  hub.faults.change({ quota: true });
  assert.is(await codeOf(connectRaw(hub, device)), 3);
  const reply = await rest(hub, 'GET', '/devices/d1');
  assert.is(reply.status, 403);
  assert.is(reply.headers['iothub-errorcode'], 'IotHubQuotaExceeded');
  client.publish(EVENTS, 'x', { qos: 1 }, () => {});
  await within(5_000, 'the end', closed);
});

test('--forget-sessions: nobody finds a session, then or later', async ({ hub, device }) => {
  const first = await connectRaw(hub, device, { clean: false });
  await first.client.endAsync();
  hub.faults.change({ forgetSessions: true });
  for (let time = 0; time < 2; time++) {
    const again = await connectRaw(hub, device, { clean: false });
    assert.not.ok(again.sessionPresent);
    await again.client.subscribeAsync('$iothub/twin/res/#');
    await again.client.endAsync();
  }
  hub.faults.clear();
  const last = await connectRaw(hub, device, { clean: false });
  assert.not.ok(last.sessionPresent);
});

test('--disconnect: a device, or all', async ({ hub, device }) => {
  const one = await connectRaw(hub, device);
  assert.is(hub.faults.change({ disconnect: 'd1' }), 1);
  await within(5_000, 'the end', one.closed);
  const two = await connectRaw(hub, device);
  assert.is(hub.faults.change({ disconnect: '*' }), 1);
  await within(5_000, 'the end', two.closed);
  assert.is(hub.faults.change({ disconnect: 'd1/nobody' }), 0);
});

test('the command speaks to the emulator that uses the folder', async ({ hub }) => {
  const change = { dropAcks: 0.25, delayMs: 10, throttle: true };
  const reply = await askControlDoor(hub.dataDir, { clear: true, change });
  assert.equal(reply.state, { ...change, quota: false, forgetSessions: false });
  const program = join(import.meta.dirname, '../../src/emulator/main.ts');
  const run = (...args: string[]) =>
    spawnSync(process.execPath, [program, 'fault', ...args], { encoding: 'utf8' });
  // The hub lives in this process: what asks it for an answer must not be waited for without it.
  const wrong = run('--delay', 'soon');
  assert.is(wrong.status, 1);
  assert.is(wrong.stderr, '--delay must be a time such as 500ms or 2s, it is "soon"\n');
  const nobody = run('--status', '--data', newFolder());
  assert.match(nobody.stderr, /^no emulator runs on .* \(ENOENT\): start it, /);
  assert.match(run('--help').stdout, /--drop-acks/);
});

test('the door says no to what it does not understand, and stays open', async ({ hub }) => {
  for (const change of [{ dropAcks: 2, delayMs: -1, nonsense: true }, 'x'] as const) {
    try {
      await askControlDoor(hub.dataDir, { clear: true, change });
      assert.unreachable();
    } catch (cause) {
      assert.match((cause as Error).message, /dropAcks must be .*no fault nonsense|JSON object/);
    }
  }
  const { state } = await askControlDoor(hub.dataDir, { clear: false, change: null });
  assert.is(state.dropAcks, 0);
});

test.run();
