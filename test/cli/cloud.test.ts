/** `isolet cloud …` as a person types it, against an emulator. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { cloudCommands } from '../../src/cli/cloud/cloud.ts';
import { runFamily } from '../../src/cli/command-family.ts';
import { startHub } from '../emulator/hub-kit.ts';
import { within } from '../fakes/within.ts';

type Context = { hub: Awaited<ReturnType<typeof startHub>>; login: string[] };
const test = suite<Context>('isolet cloud');

test.before(async (context) => {
  context.hub = await startHub({ settings: { configurationDelayMs: 1 } });
  context.login = ['--login', context.hub.ownerConnectionString, '--ca', context.hub.caFile];
});
test.after(async ({ hub }) => await hub.forget());

/** Runs one command in this process; what it would print is what it resolves with. */
async function run(...argv: readonly string[]) {
  const told = { out: '', errors: '' };
  const { stdout, stderr } = process;
  const [out, err] = [stdout.write, stderr.write];
  stdout.write = ((text: string) => (told.out += text) !== '') as never;
  stderr.write = ((text: string) => (told.errors += text) !== '') as never;
  try {
    const ended = runFamily('cloud', cloudCommands, argv);
    const code = await within(20_000, argv.join(' '), ended);
    return { code, ...told };
  } finally {
    stdout.write = out;
    stderr.write = err;
  }
}

test('devices: create, list, show, connection-string, delete', async ({ hub, login }) => {
  assert.is((await run('device', 'list', ...login)).out, 'There are no devices.\n');
  const made = await run('device', 'create', ...login, '-d', 'one', '--edge-enabled');
  assert.is(made.out, 'The device one is there.\n', made.errors);
  const again = await run('device', 'create', ...login, '-d', 'one');
  assert.is(again.code, 1);
  assert.match(again.errors, /409 .*DeviceAlreadyExists/);
  const print = 'AB'.repeat(20);
  const thumbprint = ['--auth-method', 'x509_thumbprint', '--primary-thumbprint', print];
  await run('device', 'create', ...login, '-d', 'two', ...thumbprint);
  const list = (await run('device', 'list', ...login)).out.split('\n');
  assert.match(list[0] as string, /^DEVICE +STATUS +CONNECTION +KIND +KEY +LAST SEEN$/);
  assert.match(list[1] as string, /^one +enabled +Disconnected +edge +sas +never$/);
  assert.match(list[2] as string, /^two +enabled +Disconnected +selfSigned +never$/);
  const edge = await run('device', 'list', ...login, '--edge-enabled', '--json');
  assert.equal(
    JSON.parse(edge.out).map(({ deviceId }: { deviceId: string }) => deviceId),
    ['one'],
  );
  assert.is(JSON.parse((await run('device', 'show', ...login, '-d', 'one')).out).deviceId, 'one');
  const text = await run('connection-string', ...login, '-d', 'one');
  assert.is(text.out, `${hub.connectionString('one')}\n`);
  const own = await run('connection-string', ...login, '-d', 'one', '-m', '$edgeAgent');
  assert.is(own.out, `${hub.connectionString('one', '$edgeAgent')}\n`);
  assert.match((await run('connection-string', ...login, '-d', 'two')).out, /;x509=true\n$/);
  const modules = (await run('module', 'list', ...login, '-d', 'one')).out;
  assert.match(modules, /\$edgeAgent +Disconnected +IotEdge +never/);
  assert.is((await run('module', 'list', ...login, '-d', 'two')).out, 'It has no modules.\n');
  await run('device', 'delete', ...login, '-d', 'two');
  assert.match((await run('device', 'delete', ...login, '-d', 'two')).errors, /DeviceNotFound/);
  assert.match((await run('device', 'create', ...login)).errors, /--device-id is needed/);
});

test('dps: enrollments and groups are made, listed, shown and deleted', async ({ hub, login }) => {
  const key = Buffer.alloc(32, 5).toString('base64');
  const one = ['--enrollment-id', 'board-1', '--primary-key', key, '--edge-enabled'];
  const made = await run('dps', 'enrollment', 'create', ...login, ...one, '--device-id', 'edge-9');
  assert.is(made.out, 'The enrollment of one device board-1 is there.\n', made.errors);
  const again = await run('dps', 'enrollment', 'create', ...login, ...one);
  assert.match(again.errors, /409 .*board-1 is there already/);
  const tags = ['--initial-twin-tags', '{"site":"barn"}', '--provisioning-status', 'disabled'];
  await run('dps', 'enrollment-group', 'create', ...login, '--enrollment-id', 'line-3', ...tags);
  const list = (await run('dps', 'enrollment', 'list', ...login)).out;
  assert.match(list, /^ENROLLMENT +STATUS +ATTESTATION\nboard-1 +enabled +symmetricKey\n$/);
  const groups = JSON.parse((await run('dps', 'enrollment-group', 'list', ...login, '--json')).out);
  assert.equal(groups[0].initialTwin.tags, { site: 'barn' });
  const named = [...login, '--enrollment-id', 'board-1'];
  const plain = JSON.parse((await run('dps', 'enrollment', 'show', ...named)).out);
  assert.equal([plain.deviceId, plain.attestation.symmetricKey], ['edge-9', undefined]);
  const whole = JSON.parse((await run('dps', 'enrollment', 'show', ...named, '--show-keys')).out);
  assert.is(whole.attestation.symmetricKey.primaryKey, key);
  const compute = ['dps', 'enrollment-group', 'compute-device-key', '--registration-id', 'b'];
  const asked = await run(...compute, ...login, '--enrollment-id', 'line-3');
  const { symmetricKey } = JSON.parse(
    (
      await run(
        'dps',
        'enrollment-group',
        'show',
        ...login,
        '--enrollment-id',
        'line-3',
        '--show-keys',
      )
    ).out,
  ).attestation;
  assert.is((await run(...compute, '--key', symmetricKey.primaryKey)).out, asked.out);
  await run('dps', 'enrollment', 'delete', ...named);
  assert.match(
    (await run('dps', 'enrollment', 'show', ...named)).errors,
    /404 .*there is no individual enrollment board-1/,
  );
  assert.is((await run('dps', 'enrollment', 'list', ...login)).out, 'There are none.\n');
  assert.is(hub.connectionString('edge-9'), undefined);
});

test('deployments: create, list, show, delete', async ({ login }) => {
  const content = {
    modulesContent: {
      $edgeAgent: { 'properties.desired': { modules: {} } },
      $edgeHub: { 'properties.desired': { routes: {} } },
    },
  };
  assert.is((await run('deployment', 'list', ...login)).out, 'There are no deployments.\n');
  await run('twin', 'update', ...login, '-d', 'one', '--tags', '{"site":"barn"}');
  const id = ['--deployment-id', 'first'];
  const made = await run(
    'deployment',
    'create',
    ...login,
    ...id,
    `--content=${JSON.stringify({ id: 'x', content })}`,
    "--target-condition=tags.site = 'barn'",
    '--priority=7',
    '--labels={"a":"b"}',
    '--metrics={"queries":{"all":"SELECT deviceId FROM devices"}}',
  );
  assert.is(made.out, 'The deployment first is there.\n', made.errors);
  let out = '';
  for (const endsAt = performance.now() + 10_000; performance.now() < endsAt; ) {
    ({ out } = await run('deployment', 'list', ...login));
    if (/ 1 +1 +0 +0\n/.test(out)) break;
  }
  assert.match(out, /\nfirst +7 +tags\.site = 'barn' +1 +1 +0 +0\n/);
  const shown = JSON.parse((await run('deployment', 'show', ...login, ...id, '--json')).out);
  assert.equal(shown.labels, { a: 'b' });
  assert.equal(shown.metrics.results, { all: 1 });
  await run('deployment', 'delete', ...login, ...id);
  assert.match((await run('deployment', 'show', ...login, ...id)).errors, /ConfigurationNotFound/);
  const empty = await run('deployment', 'create', ...login, ...id, '--content', '{}');
  assert.match(empty.errors, /must be an object with "modulesContent"/);
});

test('twins, messages, mistakes', async ({ hub, login }) => {
  const device = [...login, '-d', 'one'];
  await run('twin', 'update', ...device, '--desired', '{"on":true}');
  const twin = JSON.parse((await run('twin', 'show', ...device)).out);
  assert.is(twin.properties.desired.on, true);
  assert.match((await run('twin', 'update', ...device)).errors, /--desired or --tags is needed/);
  const sent = await run(
    'send-c2d',
    ...device,
    '--data=hello',
    '-pa=1',
    '-pb=2=3',
    '--message-id=m1',
  );
  assert.is(sent.out, 'The message waits for one.\n', sent.errors);
  const message = hub.messages.take('one');
  assert.equal(message?.properties, { a: '1', b: '2=3' });
  assert.equal(message?.system, { 'message-id': 'm1' });
  assert.match(
    (await run('send-c2d', ...device, '--data', 'x', '-p', 'odd')).errors,
    /must be NAME=VALUE/,
  );
  const nowhere = ['--login', 'HostName=localhost:1;SharedAccessKeyName=a;SharedAccessKey=YQ=='];
  assert.match((await run('device', 'list', ...nowhere)).errors, /ECONNREFUSED/);
});

test.run();
