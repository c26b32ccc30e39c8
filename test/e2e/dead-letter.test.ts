/** Dead letters as a person meets them: `isolet dead-letter list`, show, replay, empty. */
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openApiSocket } from '../../src/api/api-socket.ts';
import { apiResources } from '../../src/api-resources.ts';
import { Fault } from '../../src/core/fault.ts';
import type { DeadLetterSummary } from '../../src/core/summaries.ts';
import { until, within } from '../fakes/within.ts';
import { bundleSource, type Device, deployment, spec, startDevice } from './device.ts';
import { build, newFolder, start } from './programs.ts';

const test = suite('dead letters');

const SENDER = `
import { ModuleClient, Message } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
await client.open();
for (const text of ['one', 'two', 'three']) await client.sendOutputEvent('out', new Message(text));
await client.sendOutputEvent('out', new Message(new Uint8Array([0xff, 0])));
`;

let device: Device;
let socket: string;
let api: { close(): Promise<void> };

async function run(
  ...argv: readonly string[]
): Promise<{ code: number | null; text: string; errors: string }> {
  const command = start('isolet', ['dead-letter', ...argv, '--socket', socket]);
  const code = await within(20_000, argv.join(' '), command.ended);
  return { code, text: command.lines.join('\n'), errors: command.errors() };
}

async function ids(): Promise<readonly string[]> {
  const { text } = await run('list', '--json');
  return (JSON.parse(text) as readonly DeadLetterSummary[]).map(({ id }) => String(id));
}

test.before(async () => {
  build();
  device = await within(20_000, 'start', startDevice());
  socket = join(newFolder(), 'api.sock');
  api = await openApiSocket(socket, apiResources(device.supervisor));
  const { upstream, supervisor } = device;
  upstream.failSends(new Fault('REQUEST_INVALID', 'the hub knows no such property'));
  upstream.desired('$edgeHub', {
    schemaVersion: '1.1',
    routes: { up: 'FROM /messages/* INTO $upstream' },
  });
  upstream.desired(
    '$edgeAgent',
    deployment({
      sender: spec(await bundleSource('sender', SENDER), { restartPolicy: 'never' }),
    }),
  );
  await until(20_000, 'letters', () => supervisor.deadLetters.counters.count === 4);
});

test.after(async () => {
  await api.close();
  await within(15_000, 'stop', device.close());
});

test('list shows where they were to go and why they did not', async () => {
  const { code, text } = await run('list');
  assert.is(code, 0);
  const [head, first] = text.split('\n');
  assert.match(head as string, /^ID +SINCE \(UTC\) +FROM +TO +TRIES +BYTES +REASON$/);
  assert.match(
    first as string,
    /sender\/outputs\/out +\$upstream .*the hub knows no such property/,
  );
  assert.is(device.supervisor.status.runtime().messages.deadLetters, 4);
});

test('status counts them', async () => {
  const command = start('isolet', ['status', '--socket', socket]);
  assert.is(await within(20_000, 'status', command.ended), 0);
  const text = command.lines.join('\n');
  assert.match(text, /^device +edge, Isolet 0, connected to the hub$/m);
  assert.match(text, /^messages +4 accepted, 0 delivered/m);
  assert.match(text, /^dead letters +4: see "isolet dead-letter list"$/m);
});

test('show gives the message, text or not', async () => {
  const all = await ids();
  const { text } = await run('show', all[0] as string);
  const letter = JSON.parse(text) as Record<string, unknown>;
  assert.equal([letter['body'], letter['endpoint']], ['one', '$upstream']);
  const last = JSON.parse((await run('show', all[3] as string, '--json')).text) as object;
  assert.is((last as { bodyBase64?: string }).bodyBase64, '/wA=');
  const absent = await run('show', '999');
  assert.equal([absent.code, absent.text], [1, '']);
  assert.match(absent.errors, 'there is no dead letter 999');
});

test('replay and empty say what they would do it to', async () => {
  for (const words of [['replay'], ['empty'], ['empty', '1', '--all'], ['replay', 'x']]) {
    const { code, errors } = await run(...words);
    assert.is(code, 1);
    assert.match(errors, /^isolet dead-letter (replay|empty): /);
  }
});

test('replay sends again what the endpoint takes now; empty throws away', async () => {
  device.upstream.failSends(undefined);
  const [one, two, three] = await ids();
  const thrown = await run('empty', two as string);
  assert.equal([thrown.code, thrown.text], [0, '1 letter thrown away.']);
  const sent = await run('replay', three as string, one as string);
  assert.equal([sent.code, sent.text], [0, '2 letters sent again.']);
  const texts = (): string[] =>
    device.upstream.sent('sender').map(({ body }) => Buffer.from(body).toString());
  await until(20_000, 'they arrive', () => texts().length === 2);
  // In the order they were sent at first.
  assert.equal(texts(), ['one', 'three']);
  assert.equal(JSON.parse((await run('empty', '--all', '--json')).text), { count: 1 });
  assert.is((await run('list')).text, 'There are no dead letters.');
  assert.is((await run('empty', one as string)).code, 1);
});

test.run();
