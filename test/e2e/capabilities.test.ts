/** What a bundle asks for ∩ what the deployment grants ∩ what the device's owner allows, on real parts. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { JsonObject } from '../../src/core/json.ts';
import { readPolicy } from '../../src/core/policy.ts';
import { until, within } from '../fakes/within.ts';
import { bundleSource, type Device, deployment, spec, startDevice } from './device.ts';

const LIMIT_MS = 20_000;
const test = suite('capabilities on real parts');

let folder: string;
let device: Device;
const servers: Server[] = [];
const ports: number[] = [];

/** Tries each line of its desired `try`, and logs what came of it. */
const PROBE = `
import { readFile, writeFile } from 'node:fs/promises';
import { ModuleClient } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
import { openI2c } from 'isolet';

const attempts = {
  read: (path) => readFile(path, 'utf8'),
  write: (path) => writeFile(path, 'written'),
  fetch: async (url) => (await fetch(url)).text(),
  async i2c(path) {
    const bus = await openI2c(path);
    const raw = await bus.writeRead(0x48, [0], 2);
    await bus.close();
    return raw.readInt16BE() / 256;
  },
};
const client = await ModuleClient.fromEnvironment(Mqtt);
const twin = await client.getTwin();
const seen = new Set();
twin.on('properties.desired', async ({ attempt = {} }) => {
  for (const [name, [what, on]] of Object.entries(attempt)) {
    if (seen.has(name)) continue;
    seen.add(name);
    const result = await attempts[what](on).then((value) => ({ value }), ({ code, message }) => ({ code, message }));
    console.log(JSON.stringify({ name, ...result }));
  }
});
`;

type Outcome = { readonly value?: unknown; readonly code?: string; readonly message?: string };

/** What came of each attempt of one module. */
async function tryIn(
  module: string,
  attempt: Readonly<Record<string, readonly [string, string]>>,
): Promise<Readonly<Record<string, Outcome>>> {
  device.upstream.desired(module, { attempt } as unknown as JsonObject);
  return await until(LIMIT_MS, `what ${module} may`, () => {
    const results = device.logs
      .tail(module, 1_000)
      .filter(({ text }) => text.startsWith('{'))
      .map(({ text }) => JSON.parse(text) as Outcome & { readonly name: string });
    const byName = Object.fromEntries(results.map(({ name, ...outcome }) => [name, outcome]));
    return Object.keys(attempt).every((name) => byName[name] !== undefined) && byName;
  });
}

const codes = (outcomes: Readonly<Record<string, Outcome>>): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(outcomes).map(([name, { value, code }]) => [name, code ?? value]),
  );

test.before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'isolet-capabilities-'));
  for (const name of ['site', 'secret']) {
    mkdirSync(join(folder, name), { mode: 0o777 });
    writeFileSync(join(folder, name, 'file'), name);
  }
  symlinkSync('../secret', join(folder, 'site', 'out'));
  for (const text of ['one', 'two', 'three']) {
    const server = createServer((_request, response) => response.end(text));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
    ports.push((server.address() as AddressInfo).port);
  }
  const policy = {
    binds: [join(folder, 'site')],
    devices: ['/dev/i2c-*'],
    network: [`127.0.0.1:${ports[0]}`, `127.0.0.1:${ports[1]}`],
  };
  const problems: string[] = [];
  device = await within(
    LIMIT_MS,
    'start',
    startDevice({
      policy: readPolicy(policy, 'isolet.policy', problems),
      simulated: {
        '/dev/i2c-1': {
          kind: 'i2c',
          chips: [{ address: 0x48, bytes: [0x19, 0x80], registerBytes: 2 }],
        },
        '/dev/i2c-2': {
          kind: 'i2c',
          chips: [{ address: 0x48, bytes: [0x19, 0x80], registerBytes: 2 }],
        },
      },
    }),
  );
  assert.equal(problems, []);
});

test.after(async () => {
  await within(LIMIT_MS, 'stop', device.close());
  for (const server of servers) server.close();
  rmSync(folder, { recursive: true });
});

type Options = {
  readonly binds?: readonly string[];
  readonly devices?: readonly string[];
  readonly network?: string;
};

const granting = (image: string, { binds = [], devices = [], network }: Options): JsonObject =>
  spec(image, {
    settings: {
      image,
      createOptions: JSON.stringify({
        HostConfig: { Binds: binds, Devices: devices.map((path) => ({ PathOnHost: path })) },
        ...(network === undefined ? {} : { Labels: { 'isolet.network': network } }),
      }),
    },
  });

const at = (port: number | undefined): string => `http://127.0.0.1:${port}/`;

test('each module uses what all three sides say, its neighbours in the host notwithstanding', async () => {
  const [one, two, three] = ports;
  const site = `${join(folder, 'site')}:/data`;
  const [reader, wide, both] = await Promise.all([
    bundleSource('reader', PROBE, { files: ['/data:ro'], network: [`127.0.0.1:${one}`] }),
    bundleSource('wide', PROBE),
    bundleSource('both', PROBE, { devices: ['/dev/i2c-1'], network: [`127.0.0.1:${one}`] }),
  ]);
  const network = `127.0.0.1:${one}, 127.0.0.1:${two}`;
  device.upstream.desired(
    '$edgeAgent',
    deployment({
      // Granted more than it asks for; the one beside it has all of it, in the same process.
      reader: granting(reader, { binds: [site], network }),
      wide: granting(wide, { binds: [site], network }),
      // The sentence of the requirement: one bus, one host and port, and nothing around them.
      both: granting(both, { devices: ['/dev/i2c-1', '/dev/i2c-2'], network }),
      forbidden: granting(wide, { binds: [`${join(folder, 'secret')}:/data`] }),
      linked: granting(wide, { binds: [`${join(folder, 'site/out')}:/data`] }),
      outside: granting(wide, { network: `127.0.0.1:${three}` }),
    }),
  );
  const attempt = {
    read: ['read', '/data/file'],
    write: ['write', '/data/file'],
    granted: ['fetch', at(one)],
    unasked: ['fetch', at(two)],
    ungranted: ['fetch', at(three)],
    bus: ['i2c', '/dev/i2c-1'],
    otherBus: ['i2c', '/dev/i2c-2'],
  } as const;

  const narrow = await tryIn('reader', attempt);
  assert.equal(codes(narrow), {
    read: 'site',
    write: 'EROFS',
    granted: 'one',
    unasked: 'EACCES',
    ungranted: 'EACCES',
    bus: 'EACCES',
    otherBus: 'EACCES',
  });
  assert.match(narrow['unasked']?.message ?? '', `127.0.0.1:${two}`);
  assert.is(readFileSync(join(folder, 'site/file'), 'utf8'), 'site');

  assert.equal(codes(await tryIn('both', attempt)), {
    read: 'EACCES',
    write: 'EACCES',
    granted: 'one',
    unasked: 'EACCES',
    ungranted: 'EACCES',
    bus: 25.5,
    otherBus: 'EACCES',
  });

  assert.equal(codes(await tryIn('wide', attempt)), {
    read: 'site',
    write: undefined,
    granted: 'one',
    unasked: 'two',
    ungranted: 'EACCES',
    bus: 'EACCES',
    otherBus: 'EACCES',
  });

  const hosts = device.log.entries.filter(({ message }) => message === 'module host started');
  assert.equal(
    hosts.map(({ fields }) => fields['group']).toSorted(),
    ['devices', 'shared'],
    'the narrow and the wide one share a process',
  );
});

test('what the policy forbids fails its module with the field and the remedy, the others run', async () => {
  for (const [module, told] of [
    ['forbidden', /HostConfig\.Binds\[0\]: the policy of this device does not allow .*secret/],
    ['linked', /HostConfig\.Binds\[0\]: .*site\/out leads to .*secret.*policy/],
    [
      'outside',
      /Labels\["isolet\.network"\]: the policy of this device does not allow 127\.0\.0\.1/,
    ],
  ] as const) {
    const ended = await until(LIMIT_MS, `${module} is refused`, () =>
      device.log.entries.find(
        ({ message, fields }) => message === 'module ended' && fields['module'] === module,
      ),
    );
    assert.is(ended.fields['cause'], 'refused');
    assert.match(String(ended.fields['reason']), told);
    assert.match(String(ended.fields['reason']), 'isolet.policy');
    assert.match(device.module(module)?.description ?? '', told);
  }
  for (const module of ['reader', 'wide', 'both']) {
    assert.is(device.module(module)?.status, 'running');
  }
});

test.run();
