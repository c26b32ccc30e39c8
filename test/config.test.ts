import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseConfig, readConfig } from '../src/config.ts';
import { Fault } from '../src/core/fault.ts';

const test = suite('config');
const FILE = '/etc/isolet/config.toml';

function problem(run: () => unknown): string {
  try {
    run();
  } catch (cause) {
    if (cause instanceof Fault) return cause.message;
    throw cause;
  }
  throw new Error('nothing was wrong');
}

test('the least there is to say', () => {
  const config = parseConfig(
    '[provisioning]\nsource = "manual"\nconnection_string = "HostName=h;DeviceId=d;SharedAccessKey=QUJD"\n',
    FILE,
  );
  assert.equal(config.provisioning, {
    source: 'manual',
    device: { hostName: 'h', deviceId: 'd', proof: { kind: 'key', key: 'QUJD' } },
  });
  assert.is(config.dataDir, '/var/lib/isolet');
  assert.is(config.apiSocket, '/var/lib/isolet/api.sock');
  assert.is(config.module.heapMb, 32);
});

test('keys of bundles are read, and a policy that nothing could meet is refused', () => {
  const text = (lines: string): string =>
    `[provisioning]\nsource = "none"\n[isolet.bundles]\n${lines}\n`;
  const key = `plant:${'A'.repeat(43)}`;
  const config = parseConfig(text(`trusted_keys = ["${key}"]\nrequire_signature = true`), FILE);
  assert.equal(config.bundles.trust, {
    required: true,
    keys: [{ name: 'plant', value: 'A'.repeat(43) }],
  });
  assert.not.ok(parseConfig(text(''), FILE).bundles.trust.required);
  assert.match(
    problem(() => parseConfig(text('require_signature = true'), FILE)),
    /trusted_keys has no key: no bundle at all would be taken/,
  );
  assert.match(
    problem(() => parseConfig(text('trusted_keys = ["plant"]\nrequire_signature = "yes"'), FILE)),
    /require_signature must be true or false[\s\S]*must hold lines as "isolet sign/,
  );
});

test('relative paths start from the file’s folder', () => {
  const config = parseConfig(
    '[provisioning]\nsource = "none"\n[isolet]\ndata_dir = "data"\n',
    FILE,
  );
  assert.is(config.dataDir, '/etc/isolet/data');
});

test('a trust bundle is read, and refused when it is none', () => {
  const folder = mkdtempSync(join(tmpdir(), 'isolet-config-'));
  const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n';
  writeFileSync(join(folder, 'ca.pem'), pem);
  writeFileSync(join(folder, 'not.pem'), 'hello');
  const text = (name: string): string =>
    `trust_bundle_cert = "file://${folder}/${name}"\n[provisioning]\nsource = "none"\n`;
  assert.is(parseConfig(text('ca.pem'), FILE).trustBundle, pem);
  assert.match(
    problem(() => parseConfig(text('not.pem'), FILE)),
    'holds no PEM certificate',
  );
  assert.match(
    problem(() => parseConfig(text('absent.pem'), FILE)),
    'ENOENT',
  );
});

test('simulated devices are read, and refused with the key that is wrong', () => {
  const text = (devices: string): string =>
    `[provisioning]\nsource = "none"\n[isolet.simulated_devices]\n${devices}\n`;
  const config = parseConfig(
    text(`"/dev/i2c-1" = { 0x48 = { bytes = [25, 128], register_bytes = 2 }, 118 = [1] }
      "/dev/spidev0.0" = {}
      "/dev/gpiochip0" = { lines = 8, wires = { 1 = 2 } }
      "/dev/ttyUSB0" = {}`),
    FILE,
  );
  assert.equal(config.simulatedDevices, {
    '/dev/i2c-1': {
      kind: 'i2c',
      chips: [
        { address: 118, bytes: [1], registerBytes: 1 },
        { address: 0x48, bytes: [25, 128], registerBytes: 2 },
      ],
    },
    '/dev/spidev0.0': { kind: 'spi' },
    '/dev/gpiochip0': { kind: 'gpio', lines: 8, wires: [[1, 2]] },
    '/dev/ttyUSB0': { kind: 'serial' },
  });
  const cases: readonly (readonly [string, RegExp])[] = [
    ['"/dev/video0" = {}', /"\/dev\/video0" must be named as a device of Linux is/],
    ['"/dev/i2c-1" = 5', /"\/dev\/i2c-1" must be a table/],
    ['"/dev/i2c-1" = { 0x80 = [1] }', /0x80: an address is a number from 0x00 to 0x7f/],
    ['"/dev/i2c-1" = { 0x48 = [256] }', /0x48 must hold the bytes/],
    ['"/dev/i2c-1" = { 0x48 = { bytes = [], width = 2 } }', /0x48\.width is not known/],
    ['"/dev/gpiochip0" = { lines = 8, wires = { 1 = 8 } }', /wires must lead from an output/],
    ['"/dev/gpiochip0" = { lines = 0 }', /lines must be a whole number/],
    ['"/dev/ttyS0" = { speed = 1 }', /speed is not known/],
  ];
  for (const [devices, expected] of cases) {
    assert.match(
      problem(() => parseConfig(text(devices), FILE)),
      expected,
    );
  }
});

test('the example of docs/devices.md is one', () => {
  const document = readFileSync(join(import.meta.dirname, '../docs/devices.md'), 'utf8');
  const example = /```toml\n([\s\S]*?)```/.exec(document)?.[1] ?? '';
  const config = parseConfig(`[provisioning]\nsource = "none"\n${example}`, FILE);
  assert.is(Object.keys(config.simulatedDevices).length, 4);
});

test('limits of modules come from their section, each with a default', () => {
  const read = (section: string) =>
    parseConfig(`[provisioning]\nsource = "none"\n[isolet.module]\n${section}`, FILE).module;
  assert.equal(read(''), {
    heapMb: 32,
    startMs: 5_000,
    turnMs: 2_000,
    cpuShare: 1,
    messagesPerSecond: 20_000,
    logLinesPerSecond: 1_000,
    outstandingRequestsMax: 32_768,
    keptBytesMax: 64 * 1_048_576,
    keptCountMax: 100_000,
    blobBytesMax: 256 * 1_048_576,
    blobCountMax: 1_000,
    metricSeriesMax: 1_000,
  });
  const set = read(
    'cpu_percent = 50\nmessages_per_second = 7\nlog_lines_per_second = 8\noutstanding_requests = 9\n',
  );
  assert.equal(
    [set.cpuShare, set.messagesPerSecond, set.logLinesPerSecond, set.outstandingRequestsMax],
    [0.5, 7, 8, 9],
  );
});

test('a policy says what deployments may grant, and nonsense in it is refused with its place', () => {
  const text = (lines: string): string =>
    `[provisioning]\nsource = "none"\n[isolet.policy]\n${lines}\n`;
  const read = parseConfig(text('binds = ["/srv:ro"]\nmemory_mb_max = 64'), FILE).policy;
  assert.equal(read, {
    binds: [{ path: '/srv', writable: false }],
    devices: undefined,
    network: undefined,
    ports: undefined,
    memoryMbMax: 64,
  });
  const told = problem(() =>
    parseConfig(text('binds = ["srv"]\ndevices = "i2c"\nbind = []'), FILE),
  );
  assert.match(told, 'isolet.policy.binds[0] must be');
  assert.match(told, 'isolet.policy.devices must be a list');
  assert.match(told, 'did you mean binds?');
  const hosts = parseConfig(
    text('network = ["*:443", "192.168.0.0/16:502"]\nports = ["80", "1024-65535"]'),
    FILE,
  ).policy;
  assert.equal(hosts.ports, [
    { first: 80, last: 80 },
    { first: 1_024, last: 65_535 },
  ]);
  assert.equal(
    hosts.network?.map(({ host }) => host),
    ['*', '192.168.0.0/16'],
  );
  const wrong = problem(() =>
    parseConfig(text('network = ["api.example.com", 1]\nports = [80, "0", "9-8"]'), FILE),
  );
  for (const at of ['network[0]', 'network[1]', 'ports[0]', 'ports[1]', 'ports[2]']) {
    assert.match(wrong, `isolet.policy.${at} must be`);
  }
});

test('limits of messages come from their section, in the units its names say', () => {
  const { messages } = parseConfig(
    `[provisioning]
source = "none"
[isolet.messages]
waiting_max = 10
waiting_mb = 2
endpoint_waiting_max = 5
endpoint_waiting_mb = 1
attempts_max = 4
crashes_max = 2
dead_letters_max = 7
dead_letters_mb = 3
local_kb = 512
unrouted = "drop"
`,
    FILE,
  );
  const MB = 1_048_576;
  assert.equal(messages.queue.store, {
    countMax: 10,
    bytesMax: 2 * MB,
    endpointCountMax: 5,
    endpointBytesMax: MB,
  });
  assert.equal([messages.pump.attemptsMax, messages.pump.crashesMax], [4, 2]);
  assert.equal(messages.deadLetters, { countMax: 7, bytesMax: 3 * MB });
  assert.equal(messages.router, { localBytesMax: 524_288, unrouted: 'drop' });
  const wrong = problem(() =>
    parseConfig(
      '[provisioning]\nsource = "none"\n[isolet.messages]\nunrouted = "loose"\nlocal_kb = 9000\n',
      FILE,
    ),
  );
  assert.match(wrong, 'isolet.messages.unrouted must be "error" or "drop"');
  assert.match(wrong, 'isolet.messages.local_kb must be at most 8192');
});

test('limits of fetch come from their section', () => {
  const {
    httpServer: _,
    devices: __,
    ...fetch
  } = parseConfig(
    '[provisioning]\nsource = "none"\n[isolet.fetch]\ntime_ms = 5000\nresponse_kb = 64\nsockets_max = 3\n',
    FILE,
  ).host;
  assert.equal(fetch, {
    fetchMs: 5_000,
    fetchesMax: 16,
    fetchResponseBytesMax: 65_536,
    fetchHeaderBytesMax: 16_384,
    webSocketsMax: 3,
  });
});

test('limits of logs, HTTP servers and devices come from theirs, each key counts', () => {
  const none = '[provisioning]\nsource = "none"\n';
  const defaults = parseConfig(none, FILE);
  const keys = {
    logs: ['file_kb', 'files_max', 'total_mb', 'flush_ms'],
    http_server:
      'body_kb bodies_kb header_kb at_once_max connections_max answer_ms headers_ms request_ms idle_ms stall_ms'.split(
        ' ',
      ),
    devices: 'open_max i2c_bytes spi_bytes spi_ms serial_kb edges_per_second'.split(' '),
  };
  for (const [section, names] of Object.entries(keys)) {
    for (const name of names) {
      const read = parseConfig(`${none}[isolet.${section}]\n${name} = 3\n`, FILE);
      const before = JSON.stringify([defaults.logs, defaults.host]).split(',');
      const after = JSON.stringify([read.logs, read.host]).split(',');
      const changed = after.filter((one, index) => one !== before[index]);
      assert.is(changed.length, 1, `${section}.${name}: ${changed.join(' ')}`);
      assert.match(changed[0] as string, /:(3|3072|3145728)[}\]]*$/);
    }
  }
});

test('all problems are told at once, with suggestions', () => {
  const text = `
hostnam = "x"
[provisioning]
source = "manul"
[isolet]
data_dir = 7
log_level = "loud"
[isolet.module]
heap_mb = -3
`;
  const message = problem(() => parseConfig(text, FILE));
  for (const words of [
    'hostnam is not known: did you mean hostname?',
    'provisioning.source must be "manual"',
    'isolet.data_dir must be text',
    'isolet.log_level must be one of',
    'isolet.module.heap_mb must be a whole number',
  ]) {
    assert.ok(message.includes(words), `${words}\n${message}`);
  }
});

test('what is no TOML, and no file, is said', () => {
  assert.match(
    problem(() => parseConfig('a = ', FILE)),
    'is not valid TOML',
  );
  assert.match(
    problem(() => readConfig('/nowhere/config.toml')),
    '--config',
  );
});

test('a socket path longer than Linux takes is said before it fails', () => {
  const text = `[provisioning]\nsource = "none"\n[isolet]\ndata_dir = "/${'x'.repeat(120)}"\n`;
  assert.match(
    problem(() => parseConfig(text, FILE)),
    'api_socket',
  );
});

test('docs/configuration.md names every key there is', () => {
  const documented = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8');
  const keys = [...documented.matchAll(/^\| `([a-z_.]+)` \|/gm)].map(([, key]) => key as string);
  assert.ok(keys.length >= 10);
  // A key the parser does not know is a problem; a wrong value of a known one is another.
  for (const key of keys) {
    const cut = key.lastIndexOf('.');
    const table = cut < 0 ? '' : `[${key.slice(0, cut)}]\n`;
    const message = problem(() => parseConfig(`${table}${key.slice(cut + 1)} = [1]\n`, FILE));
    assert.not.match(message, 'is not known', key);
  }
});

test('any text is a config or a sentence', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        parseConfig(text, FILE);
      } catch (cause) {
        if (!(cause instanceof Fault)) throw cause;
      }
    }),
  );
});

test.run();
