/** createOptions: what is taken, what is refused with its path and the remedy, what is listed. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { agentReport, moduleStatus } from '../../src/core/agent-report.ts';
import { knownOptions, readCreateOptions } from '../../src/core/create-options.ts';
import { parseDeployment } from '../../src/core/deployment.ts';
import type { Json, JsonObject } from '../../src/core/json.ts';
import { plan } from '../../src/core/plan.ts';
import { collide, type PublishedPort } from '../../src/core/port-grant.ts';

const test = suite('createOptions');

const read = (options: JsonObject) => readCreateOptions(options, 'o');
const problemsOf = (HostConfig: JsonObject): readonly string[] => read({ HostConfig }).problems;

/** Each in a HostConfig of its own; the text its one problem must match. */
const refused: readonly (readonly [JsonObject, RegExp])[] = [
  [{ Memory: 0 }, /^o\.HostConfig\.Memory must be .* 8388608 .*it is 0: leave it out/],
  [{ Memory: -1 }, /Memory must be/],
  [{ Memory: 8_388_607 }, /8 MB/],
  [{ Memory: 1e300 }, /Memory must be/],
  [{ Memory: 33_554_432.5 }, /whole number/],
  [{ Memory: '64m' }, /it is "64m"/],
  [{ NanoCpus: -1 }, /^o\.HostConfig\.NanoCpus/],
  [{ Binds: '/a:/b' }, /^o\.HostConfig\.Binds must be an array/],
  [{ Binds: [{}] }, /^o\.HostConfig\.Binds\[0\] must be "\/source:\/target"/],
  [{ Binds: ['/a'] }, /Binds\[0\] must be/],
  [{ Binds: ['/a:/b:ro:x'] }, /Binds\[0\] must be/],
  [{ Binds: ['/a:/b:r0'] }, /"r0" is no mode: write ":ro"/],
  [{ Binds: ['/:/host'] }, /the whole device .* name the folder/],
  [{ Binds: ['//./:/host:ro'] }, /the whole device/],
  [{ Binds: ['/a:/'] }, /target "\/" would hide/],
  [{ Binds: ['data:/data'] }, /"data" is a named volume.*"\/var\/lib\/data"/],
  [{ Binds: ['./data:/data'] }, /source must be an absolute path/],
  [{ Binds: ['../x:/data'] }, /source must be an absolute path/],
  [{ Binds: [':/data'] }, /source must be an absolute path/],
  [{ Binds: ['/a:data'] }, /target must be an absolute path/],
  [{ Binds: ['/a/../..:/data'] }, /without "\.\."/],
  [{ Binds: ['/a*:/data'] }, /without "\.\.", "\*"/],
  [{ Binds: ['/a\0:/data'] }, /NUL/],
  [{ Binds: ['/a:/data', '/b:/data/'] }, /\/data is the target of two binds/],
  [{ Mounts: {} }, /^o\.HostConfig\.Mounts must be an array/],
  [{ Mounts: ['x'] }, /^o\.HostConfig\.Mounts\[0\] must be/],
  [{ Mounts: [{ Type: 'bind', Source: '/a' }] }, /Mounts\[0\] needs "Source" and "Target"/],
  [{ Mounts: [{ Type: 'bind', Source: '/', Target: '/x' }] }, /Mounts\[0\]: the whole device/],
  [{ Mounts: [{ Type: 'bind', Source: '/a', Target: '/x', ReadOnly: 1 }] }, /ReadOnly must be/],
  [{ Devices: {} }, /^o\.HostConfig\.Devices must be an array/],
  [{ Devices: [{ PathOnHost: 'i2c-1' }] }, /Devices\[0\]\.PathOnHost must name a device/],
  [{ Devices: [{ PathOnHost: '/dev/../etc/shadow' }] }, /must name a device/],
  [{ Devices: [{ PathOnHost: '/dev/i2c-1/../mem' }] }, /must name a device/],
  [{ Devices: [{ PathOnHost: '/dev/*' }] }, /must name a device/],
  [
    { Devices: [{ PathOnHost: '/dev/i2c-1', PathInContainer: 'bus' }] },
    /Devices\[0\]\.PathInContainer must be an absolute path, it is "bus"/,
  ],
  [
    { Devices: [{ PathOnHost: '/dev/i2c-1', CgroupPermissions: 'rx' }] },
    /Devices\[0\]\.CgroupPermissions must be "r", "w" or "rw", it is "rx"/,
  ],
  [
    {
      Devices: [1, 2].map((bus) => ({
        PathOnHost: `/dev/i2c-${bus}`,
        PathInContainer: '/dev/bus',
      })),
    },
    /Devices\[1\]: \/dev\/bus is the path of two devices/,
  ],
  [{ PortBindings: [] }, /^o\.HostConfig\.PortBindings must be an object/],
  [{ PortBindings: { '0/tcp': null } }, /PortBindings\["0\/tcp"\]: a port is a number from 1/],
  [{ PortBindings: { '65536/tcp': null } }, /from 1 to 65535/],
  [{ PortBindings: { '80/http': null } }, /"\/tcp" or "\/udp"/],
  [{ PortBindings: { '80/tcp': [{ HostPort: '70000' }] } }, /\[0\]\.HostPort .* it is "70000"/],
  [{ PortBindings: { '80/tcp': [{ HostPort: 80 }] } }, /as text, it is 80/],
  [{ PortBindings: { '80/tcp': {} } }, /must be an array/],
  [{ PortBindings: { '80/tcp': [{ HostIp: 'eth0' }] } }, /\[0\]\.HostIp .* it is "eth0"/],
  [
    { PortBindings: { '80/tcp': [{ HostPort: '1' }], '81/tcp': [{ HostPort: '1' }] } },
    /^o\.HostConfig\.PortBindings\["81\/tcp"\]\[0\]: port 1 is given to .*80.* already: take another/,
  ],
];

test('the impossible is refused with the field’s path and the remedy', () => {
  for (const [options, pattern] of refused) {
    const found = problemsOf(options);
    assert.is(found.length, 1, `${JSON.stringify(options)}: ${found.join(' | ') || 'accepted'}`);
    assert.match(found[0] as string, pattern);
  }
});

test('all problems come at once', () => {
  const settings = read({
    Env: ['A'],
    ExposedPorts: { x: {} },
    HostConfig: { Memory: 0, Binds: ['/:data', 'x'], Devices: [1] },
  });
  assert.is(settings.problems.length, 7, settings.problems.join('\n'));
});

test('Mounts of type bind are Binds; other kinds are listed', () => {
  const settings = read({
    HostConfig: {
      Memory: 67_108_864,
      Binds: ['/a/:/x', '/b:/y:ro,z'],
      Mounts: [
        { Type: 'bind', Source: '/c', Target: '/z', ReadOnly: true },
        { Type: 'bind', Source: '/d', Target: '/w' },
        { Type: 'tmpfs', Target: '/tmp' },
        { Type: 'volume', Source: 'v', Target: '/v' },
      ],
    },
  });
  assert.equal(settings.problems, []);
  assert.is(settings.memoryMb, 64);
  assert.equal(
    settings.grants.binds.map(({ source, target, writable }) => [source, target, writable]),
    [
      ['/a', '/x', true],
      ['/b', '/y', false],
      ['/c', '/z', false],
      ['/d', '/w', true],
    ],
  );
  assert.is(settings.grants.binds[2]?.at, 'o.HostConfig.Mounts[0]');
  assert.equal(settings.unhonoured, [
    'HostConfig.Mounts[2] (tmpfs)',
    'HostConfig.Mounts[3] (volume)',
  ]);
});

test('well-formed settings without effect are listed, nothing is refused for them', () => {
  const settings = read({
    HostConfig: {
      Memory: null,
      NanoCpus: 500_000_000,
      Devices: [{ PathOnHost: '/dev/i2c-1', PathInContainer: '/dev/i2c-1' }],
      Privileged: false,
    },
  });
  assert.equal(settings.problems, []);
  assert.equal(settings.unhonoured, []);
  const [bus] = settings.grants.devices;
  assert.equal([bus?.path, bus?.kind], ['/dev/i2c-1', 'i2c']);
});

test('devices are granted by what their names say; others are listed one by one', () => {
  const paths =
    'i2c-1 spidev0.0 gpiochip0 ttyS1 ttyUSB0 ttyACM0 ttyAMA0 serial0 serial/by-id/usb-FTDI_A-if00';
  const settings = read({
    HostConfig: {
      Devices: [
        ...paths.split(' ').map((name) => ({ PathOnHost: `/dev/${name}`, PathInContainer: '' })),
        { PathOnHost: '/dev/i2c-2', PathInContainer: '/dev/bus', CgroupPermissions: 'r' },
        { PathOnHost: '/dev/video0' },
        { PathOnHost: '/dev/snd' },
        { PathOnHost: '/dev/tty' },
      ],
    },
  });
  assert.equal(settings.problems, []);
  const { devices } = settings.grants;
  assert.equal(
    devices.map(({ kind }) => kind ?? '-'),
    'i2c spi gpio serial serial serial serial serial serial i2c - - -'.split(' '),
  );
  assert.equal(
    [devices[0], devices[9]].map((one) => [one?.target, one?.readable, one?.writable]),
    [
      ['/dev/i2c-1', true, true],
      ['/dev/bus', true, false],
    ],
  );
  assert.equal(settings.unhonoured.length, 3);
  assert.match(
    settings.unhonoured[0] ?? '',
    /^HostConfig\.Devices\[10\] \(\/dev\/video0: no I2C bus/,
  );
});

test('PortBindings and ExposedPorts are grants; udp is listed by name', () => {
  const settings = read({
    ExposedPorts: { '80/tcp': {}, '53/udp': {}, '81': {} },
    HostConfig: {
      PortBindings: {
        '80/tcp': [{ HostPort: '8080' }, { HostIp: '127.0.0.1', HostPort: '' }],
        '53/udp': [{ HostPort: '53' }],
        '82': null,
        '83/tcp': [{}],
      },
    },
  });
  const at = (name: string, index: number) => `o.HostConfig.PortBindings["${name}"][${index}]`;
  assert.equal(settings.problems, []);
  assert.equal(settings.unhonoured, [
    'ExposedPorts["53/udp"]',
    'HostConfig.PortBindings["53/udp"]',
  ]);
  assert.equal(
    settings.grants.ports.toSorted((one, other) => one.port - other.port),
    [
      {
        port: 80,
        published: [
          { ip: '', port: 8080, at: at('80/tcp', 0) },
          { ip: '127.0.0.1', port: 0, at: at('80/tcp', 1) },
        ],
      },
      { port: 81, published: [] },
      { port: 82, published: [] },
      { port: 83, published: [{ ip: '', port: 0, at: at('83/tcp', 0) }] },
    ],
  );
});

test('two places collide when one listener would take the other’s port', () => {
  const place = (ip: string, port = 80) => ({ ip, port, at: '' });
  const both = (one: PublishedPort, other: PublishedPort): boolean => {
    assert.is(collide(one, other), collide(other, one));
    return collide(one, other);
  };
  for (const ip of ['', '0.0.0.0', '127.0.0.1', '::', '::1']) {
    assert.ok(both(place(''), place(ip)));
    assert.ok(both(place(ip), place(ip)));
    assert.not(both(place(ip), place(ip, 81)));
    assert.not(both(place(ip, 0), place(ip, 0)));
  }
  assert.ok(both(place('0.0.0.0'), place('127.0.0.1')));
  assert.ok(both(place('::'), place('::1')));
  assert.not(both(place('::'), place('0.0.0.0')));
  assert.not(both(place('127.0.0.1'), place('127.0.0.2')));
});

const RUNTIME = { version: '0', architecture: 'x64' };
const nothing = { modules: new Map(), bundles: new Map([['i', { kind: 'ready' as const }]]) };

test('a module that asks for the impossible is failed with the reason, and the others start', () => {
  const module = (HostConfig: JsonObject): JsonObject => ({
    type: 'docker',
    status: 'running',
    settings: { image: 'i', createOptions: JSON.stringify({ HostConfig }) },
  });
  const parsed = parseDeployment({
    schemaVersion: '1.1',
    runtime: { type: 'docker' },
    systemModules: {},
    modules: { good: module({}), bad: module({ Binds: ['/:/host'] }) },
  });
  if (!parsed.ok) throw new Error(parsed.status.description);
  const { steps } = plan(parsed.value.modules, nothing, 0);
  assert.equal(
    steps.map((step) => (step.kind === 'start' ? step.spec.name : step.kind)),
    ['good'],
  );
  const bad = parsed.value.modules.get('bad');
  if (bad === undefined) throw new Error('it is not there');
  const { status, description } = moduleStatus(bad, undefined, { kind: 'absent' });
  assert.is(status, 'failed');
  assert.match(
    description,
    /^modules\.bad\.settings\.createOptions\.HostConfig\.Binds\[0\]: the whole/,
  );
  const last = { version: 1, status: { code: 200, description: '' } };
  const report = agentReport(parsed.value, last, nothing, RUNTIME)['modules'] as JsonObject;
  assert.is((report['bad'] as JsonObject)['runtimeStatus'], 'failed');
});

test('any JSON is an answer, never an exception', () => {
  const names = Object.keys(knownOptions).map((name) => name.replace('HostConfig.', ''));
  const bag = fc.dictionary(fc.constantFrom(...names), fc.jsonValue());
  fc.assert(
    fc.property(bag, bag, (outer, inner) => {
      const options = { ...outer, HostConfig: inner } as Readonly<Record<string, Json>>;
      for (const problem of read(options).problems) assert.match(problem, /^o\.\w+/);
    }),
  );
});

test('docs/capabilities.md has a row for every setting there is, with what becomes of it', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/capabilities.md'), 'utf8');
  const rows = new Map(
    [...text.matchAll(/^\| `([\w.]+)` \| (\w+)/gm)].map(([, name, word]) => [name, word]),
  );
  const words = { honoured: 'honoured', checked: 'checked', accepted: 'accepted' } as const;
  for (const [name, treatment] of Object.entries(knownOptions)) {
    assert.is(rows.get(name), words[treatment], name);
  }
  for (const [name, word] of rows) {
    const told = knownOptions[name as string];
    assert.is(word, told ?? 'unhonoured', `${name} is in the table, not in the parser`);
  }
});

test.run();
