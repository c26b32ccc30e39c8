/** The commands as a person types them, against a running device. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../src/core/json.ts';
import type { ModuleSummary, UseHistory } from '../../src/core/summaries.ts';
import { until, within } from '../fakes/within.ts';
import { bundleSource, deployment, spec } from './device.ts';
import { build, newFolder, type Started, start } from './programs.ts';

const test = suite('commands');

let hub: Started;
let supervisor: Started;
let login: readonly string[];
let socket: readonly string[];

const HELLO = `
import { ModuleClient, Message } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
console.log('hello from', process.env.IOTEDGE_MODULEID);
client.onMethod('greet', (request, response) => response.send(200, { hello: request.payload }));
const twin = await client.getTwin();
twin.on('properties.desired', ({ colour }) => {
  if (colour) client.sendOutputEvent('out', new Message(JSON.stringify({ colour })));
});
`;

/** Talks, sends and works more than it may. */
const BUSY = `
import { ModuleClient, Message } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
for (let line = 0; line < 100; line++) console.log('line', line);
const until = Date.now() + 200;
while (Date.now() < until);
setInterval(() => {
  for (let each = 0; each < 10; each++) {
    client.sendOutputEvent('out', new Message('x')).catch((error) => {
      if (error.name !== 'ThrottlingError') throw error;
    });
  }
}, 50);
`;
const BUSY_OPTIONS = {
  HostConfig: { NanoCpus: 200_000_000 },
  Labels: {
    'isolet.messages_per_second': '10',
    'isolet.log_lines_per_second': '5',
    'isolet.outstanding_requests': '4',
  },
};

async function run(
  ...argv: readonly string[]
): Promise<{ code: number | null; text: string; errors: string }> {
  const command = start('isolet', argv);
  const code = await within(20_000, argv.join(' '), command.ended);
  return { code, text: command.lines.join('\n'), errors: command.errors() };
}

test.before(async () => {
  build();
  const folder = newFolder();
  hub = start('emulator', ['--data', join(folder, 'hub'), '--port', '0', '--json']);
  const ready = JSON.parse(await until(20_000, 'the hub', () => hub.lines[0])) as Record<
    string,
    string
  >;
  login = [
    '--login',
    ready['ownerConnectionString'] as string,
    '--ca',
    ready['caFile'] as string,
    '-d',
    'edge',
  ];
  const { createServiceClient } = await import('../../src/cli/cloud/service-client.ts');
  const client = createServiceClient({
    connectionString: ready['ownerConnectionString'] as string,
    caFile: ready['caFile'] as string,
  });
  const device = (await client.call('PUT', '/devices/edge', {
    deviceId: 'edge',
    capabilities: { iotEdge: true },
  })) as { authentication: { symmetricKey: { primaryKey: string } } };
  mkdirSync(join(folder, 'device'));
  writeFileSync(
    join(folder, 'device/config.toml'),
    [
      `trust_bundle_cert = ${JSON.stringify(ready['caFile'])}`,
      '[provisioning]',
      'source = "manual"',
      `connection_string = "HostName=${client.hostName};DeviceId=edge;SharedAccessKey=${device.authentication.symmetricKey.primaryKey}"`,
      '[isolet]',
      'data_dir = "."',
    ].join('\n'),
  );
  socket = ['--socket', join(folder, 'device/api.sock')];
  const content = join(folder, 'deployment.json');
  writeFileSync(
    content,
    JSON.stringify({
      modulesContent: {
        $edgeAgent: {
          'properties.desired': deployment({
            hello: spec(await bundleSource('hello', HELLO)),
            busy: spec('', {
              settings: {
                image: await bundleSource('busy', BUSY),
                createOptions: JSON.stringify(BUSY_OPTIONS),
              },
            }),
          }),
        },
        $edgeHub: {
          'properties.desired': { schemaVersion: '1.1', routes: { up: 'FROM /* INTO $upstream' } },
        },
      },
    }),
  );
  supervisor = start('isolet', ['run', '--config', join(folder, 'device/config.toml')]);
  const applied = await run('cloud', 'set-modules', ...login, '--content', content);
  assert.is(applied.code, 0, applied.errors);
  await until(20_000, 'the module runs', () =>
    supervisor.lines.some((line) => /module runs.*hello/.test(line)),
  );
});

test.after(async () => {
  supervisor.child.kill('SIGTERM');
  await within(20_000, 'the supervisor stops', supervisor.ended);
  hub.child.kill('SIGTERM');
  await within(20_000, 'the hub stops', hub.ended);
});

test('list', async () => {
  const table = await run('list', ...socket);
  assert.is(table.code, 0, table.errors);
  assert.match(table.text, /^NAME +STATUS/);
  assert.match(table.text, /hello +running +1\.0/);
  const json = JSON.parse((await run('list', '--json', ...socket)).text) as ModuleSummary[];
  assert.is(json[0]?.status, 'running');
});

test('list and meter show what a module used and where its limits struck', async () => {
  const find = async () => {
    const json = JSON.parse((await run('list', '--json', ...socket)).text) as ModuleSummary[];
    return json.find(({ name }) => name === 'busy');
  };
  const struck = async (): Promise<ModuleSummary | undefined> => {
    const busy = await find();
    const { cpuWaitMs = 0, messageWaitMs = 0 } = busy?.totals ?? {};
    return cpuWaitMs > 0 && messageWaitMs > 0 ? busy : undefined;
  };
  let busy: ModuleSummary | undefined;
  for (let tries = 0; busy === undefined && tries < 20; tries++) busy = await struck();
  assert.ok(busy !== undefined, JSON.stringify(await find()));
  assert.is(busy.status, 'running', busy.description);
  assert.is(busy.limits.cpuShare, 0.2);
  assert.is(busy.limits.messagesPerSecond, 10);
  const { logLines, logLinesDropped, requestsRefused, messagesOut, cpuMs } = busy.totals;
  assert.equal([logLines, logLinesDropped], [50, 50]);
  assert.ok(requestsRefused >= 6 && messagesOut >= 4 && cpuMs > 0, JSON.stringify(busy.totals));
  assert.ok((busy.host?.proportionalBytes ?? 0) > 1_000_000 && busy.host?.modules.length === 2);
  const table = await run('meter', 'busy', ...socket);
  assert.is(table.code, 0, table.errors);
  assert.match(table.text, /^HOUR \(UTC\) +CPU +WAITED/);
  const meter = JSON.parse((await run('meter', 'busy', '--json', ...socket)).text) as UseHistory;
  assert.ok((meter.hours.at(-1)?.cpuWaitMs ?? 0) > 0);
  assert.match((await run('meter', 'nobody', ...socket)).errors, /there is no module "nobody"/);
});

test('deploy --dry-run tells the steps and all that is wrong, and changes nothing', async () => {
  const folder = newFolder();
  const before = (await run('list', '--json', ...socket)).text;
  const running = (JSON.parse(before) as ModuleSummary[]).map(({ name, status }) => [name, status]);
  const fileOf = (name: string, manifest: JsonObject): string => {
    writeFileSync(join(folder, name), JSON.stringify(manifest));
    return join(folder, name);
  };
  const image = await bundleSource('newer', 'setInterval(() => {}, 1000);');
  const good = fileOf(
    'good.json',
    deployment({ hello: spec(image, { env: { KEY: { value: 'hunter2' } } }), added: spec(image) }),
  );
  const planned = await run('deploy', '--dry-run', good, ...socket);
  assert.is(planned.code, 0, planned.errors);
  assert.match(planned.text, /1 +stop +busy +it is not in the deployment any more/);
  assert.match(planned.text, /fetch +added +file:\S+ is not on this device/);
  assert.match(planned.text, /replace +hello +image file:\S+ becomes file:\S+, env changes: KEY/);
  assert.match(planned.text, /start +added +it is new/);
  assert.not.match(planned.text, /hunter2/);
  const { steps } = JSON.parse((await run('deploy', '--dry-run', '--json', good, ...socket)).text);
  assert.ok(steps.some(({ kind }: { kind: string }) => kind === 'replace'));

  const bad = fileOf('bad.json', deployment({ one: spec('Not/A:Name:'), 'no name': spec(image) }));
  const refused = await run('deploy', '--dry-run', bad, ...socket);
  assert.is(refused.code, 1);
  assert.match(refused.text, /fail .*modules\.no name/);
  assert.match(refused.text, /refused as a whole/);
  const undone = await run('deploy', good, ...socket);
  assert.is(undone.code, 1);
  assert.match(undone.errors, /isolet cloud set-modules .*--dry-run shows here/);
  const after = JSON.parse((await run('list', '--json', ...socket)).text) as ModuleSummary[];
  assert.equal(
    after.map(({ name, status }) => [name, status]),
    running,
  );
});

test('logs', async () => {
  const logs = await run('logs', 'hello', ...socket);
  assert.is(logs.code, 0, logs.errors);
  assert.match(logs.text, 'hello from hello');
  const json = JSON.parse(
    (await run('logs', 'hello', '--json', '-n', '1', ...socket)).text,
  ) as object;
  assert.ok('atMs' in json);
  const absent = await run('logs', 'nobody', ...socket);
  assert.is(absent.code, 1);
  assert.match(absent.errors, /there is no module "nobody" here; there is hello, busy/);
});

test('cloud invoke-method, twin update, twin show, monitor-events', async () => {
  const answer = await run(
    'cloud',
    'invoke-method',
    ...login,
    '-m',
    'hello',
    '--method-name',
    'greet',
    '--method-payload',
    '"you"',
  );
  assert.equal(JSON.parse(answer.text), { status: 200, payload: { hello: 'you' } });
  const events = start('isolet', [
    'cloud',
    'monitor-events',
    ...login,
    '-m',
    'hello',
    '--json',
    '--all',
  ]);
  const updated = await run(
    'cloud',
    'twin',
    'update',
    ...login,
    '-m',
    'hello',
    '--desired',
    '{"colour":"blue"}',
  );
  assert.is(updated.code, 0, updated.errors);
  await until(15_000, 'the event', () => events.lines.some((line) => line.includes('blue')));
  events.child.kill('SIGTERM');
  await events.ended;
  const shown = await run('cloud', 'twin', 'show', ...login, '-m', '$edgeAgent');
  assert.match(shown.text, '"runtimeStatus": "running"');
});

test('every command has --help', async () => {
  const commands = [
    ['demo'],
    ['list'],
    ['logs'],
    ['meter'],
    ['run'],
    ['emulator'],
    ['build'],
    ['cloud'],
    ['cloud', 'set-modules'],
    ['cloud', 'twin', 'show'],
    ['cloud', 'monitor-events'],
  ];
  for (const command of [[], ...commands]) {
    const help = await run(...command, '--help');
    assert.is(help.code, 0, command.join(' '));
    assert.ok(help.text.length > 40, command.join(' '));
  }
});

test('mistakes are sentences', async () => {
  for (const [argv, words] of [
    [['dance'], /there is no command "dance"/],
    [['logs'], /usage: isolet logs MODULE/],
    [['list', '--socket', '/nowhere/api.sock'], /no Isolet answers at \/nowhere/],
    [['run', '--config', '/nowhere/config.toml'], /\/nowhere\/config\.toml cannot be read/],
    [['cloud', 'set-modules', '--login', 'HostName=x'], /--content is needed/],
    [['cloud', 'twin', 'show', '--login', 'nonsense'], /must have HostName/],
  ] as const) {
    const { code, errors } = await run(...argv);
    assert.is(code, 1, argv.join(' '));
    assert.match(errors, words);
    assert.not.match(errors, /\n\s+at /);
  }
});

test('run with a config that is wrong ends with 1 before it touches anything', async () => {
  const folder = newFolder();
  const config = join(folder, 'config.toml');
  const key = 'c2VjcmV0LXNlY3JldA==';
  for (const [line, words] of [
    [`connection_string = "HostName=h;DeviceId=d"`, /config\.toml:3: .*no SharedAccessKey/],
    [`conection_string = "x"`, /config\.toml:3: .*did you mean connection_string\?/],
    [
      `connection_string = "HostName=h.azure-devices.net:8883;DeviceId=d;SharedAccessKey=${key}"`,
      /config\.toml:3: .*without a port/,
    ],
  ] as const) {
    writeFileSync(
      config,
      `[provisioning]\nsource = "manual"\n${line}\n[isolet]\ndata_dir = "data"\n`,
    );
    const { code, errors } = await run('run', '--config', config);
    assert.is(code, 1, line);
    assert.match(errors, words);
    assert.not.match(errors, key);
    assert.equal(readdirSync(folder), ['config.toml']);
  }
});

test('check: this installation while it runs, and the deployment that runs on it', async () => {
  const config = supervisor.child.spawnargs.at(-1) as string;
  const installation = await run('check', '--config', config);
  assert.is(installation.code, 0, installation.text + installation.errors);
  assert.match(installation.text, /ok +supervisor +— Isolet .* answers, connected to the hub/);
  assert.match(installation.text, /ok +hub +— /);
  assert.match(installation.text, /ok +store +— the running Isolet/);
  const content = join(config, '../../deployment.json');
  const deployed = await run('check', content, '--config', config);
  assert.is(deployed.code, 0, deployed.text + deployed.errors);
  assert.match(deployed.text, /bundle +hello 1\.0\.0, declares nothing/);
});

test('isolet run becomes the supervisor: nobody waits in between and takes memory', () => {
  const { pid } = supervisor.child;
  const [, ...argv] = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  assert.ok(
    argv.some((one) => one.endsWith('/supervisor.cjs')),
    argv.join(' '),
  );
  assert.match(readFileSync(`/proc/${pid}/environ`, 'utf8'), 'MALLOC_ARENA_MAX=');
});

test('a second supervisor on the same folder is refused', async () => {
  const config = supervisor.child.spawnargs.at(-1) as string;
  const second = start('supervisor', ['--config', config]);
  assert.is(await within(20_000, 'its end', second.ended), 1);
  assert.match(second.errors(), /process \d+/);
});

test.run();
