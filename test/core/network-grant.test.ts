/** Network grants: how they are written, what they allow, what two of them have in common. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readCreateOptions } from '../../src/core/create-options.ts';
import { kindOf, parseIpAddress } from '../../src/core/ip-address.ts';
import type { JsonObject } from '../../src/core/json.ts';
import {
  allows,
  covers,
  forBundle,
  formatHostPort,
  type HostPort,
  intersect,
  mayResolve,
  type NetworkGrant,
  noNetwork,
} from '../../src/core/network-grant.ts';
import { parseHostPort, readHostPorts } from '../../src/core/network-grant-text.ts';

const test = suite('network grant');

function hosts(text: string): readonly HostPort[] {
  const problems: string[] = [];
  const grants = readHostPorts(text, 'label', problems);
  assert.equal(problems, []);
  return grants;
}

const rest = { extraHosts: [], implicit: false };
const may = (text: string, name: string, address: string, port: number): boolean =>
  allows({ hosts: hosts(text), ...rest }, { name, address, port });

test('grants come back as they are written best', () => {
  const pairs: readonly (readonly [string, string])[] = [
    ['API.Example.COM:443', 'api.example.com:443'],
    ['api.example.com.:443', 'api.example.com:443'],
    ['*.Example.com:8000-8010', '*.example.com:8000-8010'],
    ['*:*', '*:*'],
    ['[::1]:80', '[::1]:80'],
    ['[FD00:0::]/8:80', '[fd00::/8]:80'],
    ['[fd00::/8]:*', '[fd00::/8]:*'],
    ['192.168.0.0/16:502', '192.168.0.0/16:502'],
    ['192.168.1.20/32:502', '192.168.1.20:502'],
    ['xn--bcher-kva.example:80-80', 'xn--bcher-kva.example:80'],
    ['my_printer:9100', 'my_printer:9100'],
  ];
  for (const [written, best] of pairs) assert.equal(hosts(written).map(formatHostPort), [best]);
  assert.equal(hosts(' a:1,b:2\n c:3 ').length, 3);
});

/** What is wrong with a grant, with the remedy. */
const wrong: readonly (readonly [string, RegExp])[] = [
  ['api.example.com', /needs a port .* write it as "api\.example\.com:443"/],
  ['api.example.com:0', /needs a port/],
  ['api.example.com:65536', /needs a port/],
  ['api.example.com:90-80', /needs a port/],
  ['api.example.com:http', /needs a port/],
  ['[::1]', /no host and port/],
  ['::1:80', /an IPv6 address as "\[fd00::1\]:443"/],
  ['fd00::1', /an IPv6 address as/],
  ['https://api.example.com:443', /is a URL/],
  ['api.example.com:443/v1', /needs a port/],
  ['user@api.example.com:443', /has no host name/],
  [':443', /has no host name/],
  ['api.*.com:443', /has a "\*" where none can be/],
  ['*api.com:443', /has a "\*" where none can be/],
  ['bücher.example:443', /write the name in its "xn--" form/],
  ['0177.0.0.1:80', /has no address/],
  ['2130706433:80', /has no address/],
  ['0x7f000001:80', /has no address/],
  ['127.1:80', /has no address/],
  ['10.0.0.0/33:80', /has no address/],
  ['192.168.1.5/16:80', /write "192\.168\.0\.0\/16"/],
  ['[fe80::1%eth0]:80', /has no address/],
  ['-a.com:80', /has no host name/],
];

test('what is no grant is told with the remedy', () => {
  for (const [text, pattern] of wrong) {
    const told = parseHostPort(text);
    assert.type(told, 'string', text);
    assert.match(told as string, pattern);
  }
  const problems: string[] = [];
  assert.equal(readHostPorts('a b:1 c', 'x.Labels["isolet.network"]', problems).length, 1);
  assert.is(problems.length, 2);
  for (const problem of problems) assert.match(problem, /^x\.Labels\["isolet\.network"\]: "[ac]" /);
  readHostPorts('a:1 '.repeat(300), 'x', problems);
  assert.match(problems.at(-1) as string, /300 grants, 256 is the most/);
});

test('a name is granted for public addresses, an address for itself, each with its port', () => {
  assert.ok(may('api.example.com:443', 'api.example.com', '8.8.8.8', 443));
  assert.not.ok(may('api.example.com:443', 'api.example.com', '8.8.8.8', 444));
  assert.not.ok(may('api.example.com:443', 'example.com', '8.8.8.8', 443));
  assert.not.ok(may('api.example.com:443', 'xapi.example.com', '8.8.8.8', 443));
  assert.not.ok(may('api.example.com:443', 'api.example.com', '192.168.1.1', 443));
  assert.not.ok(may('api.example.com:443', '8.8.8.8', '8.8.8.8', 443));
  assert.ok(may('*.example.com:443', 'a.b.example.com', '8.8.8.8', 443));
  assert.not.ok(may('*.example.com:443', 'example.com', '8.8.8.8', 443));
  assert.not.ok(may('*.example.com:443', 'evilexample.com', '8.8.8.8', 443));
  assert.ok(may('*:*', '8.8.8.8', '8.8.8.8', 1));
  assert.ok(may('192.168.0.0/16:502', '192.168.7.8', '192.168.7.8', 502));
  assert.not.ok(may('192.168.0.0/16:502', '192.169.7.8', '192.169.7.8', 502));
  assert.not.ok(may('192.168.0.0/16:502', '192.168.7.8', '192.168.7.8', 503));
  assert.not.ok(may('127.0.0.1:80', '::ffff:127.0.0.1', '::ffff:127.0.0.1', 80));
  assert.not.ok(may('*:*', 'x', 'no address', 80));
  assert.ok(may('[::1]:80-90', '::1', '::1', 85));
});

test('a name server is asked for granted names alone', () => {
  assert.not.ok(mayResolve(hosts('192.168.0.0/16:502'), 'secret.evil.example', 502));
  assert.not.ok(mayResolve(hosts('a.com:443'), 'a.com', 80));
  assert.ok(mayResolve(hosts('*.a.com:443'), 'x.a.com', 443));
});

test('ExtraHosts opens an address under the granted name it was given, and under no other', () => {
  const extraHosts = [{ name: 'printer', address: '192.168.1.9' }];
  const hostPorts = hosts('printer:9100 other:9100 *:80');
  const grant = { hosts: hostPorts, extraHosts, implicit: false };
  const at = (name: string, address: string, port = 9100): boolean =>
    allows(grant, { name, address, port });
  assert.ok(at('printer', '192.168.1.9'));
  assert.not.ok(at('printer', '192.168.1.10'));
  assert.not.ok(at('printer', '192.168.1.9', 80));
  assert.not.ok(at('other', '192.168.1.9'));
  assert.not.ok(at('192.168.1.9', '192.168.1.9'));
  // "*" is no name of it, and a port the bundle chose is none the operator wrote.
  assert.not.ok(at('printer', '192.168.1.9', 80));
  const where = { name: 'printer', address: '192.168.1.9', port: 9100 };
  assert.not.ok(allows({ ...grant, implicit: true }, where));
});

const address = fc.oneof(fc.ipV4(), fc.ipV6());
const port = fc.integer({ min: 1, max: 65_535 });
const name = fc.constantFrom('a.com', 'x.a.com', 'y.x.a.com', 'b.org', 'localhost', '10.0.0.1');
const block4 = fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map(([text, bits]) => {
  const value = text.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const first = bits === 0 ? 0 : Math.floor(value / 2 ** (32 - bits)) * 2 ** (32 - bits);
  const dotted = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.');
  return `${dotted}/${bits}`;
});
const host = fc.oneof(
  fc.constantFrom('*', '*.a.com', '*.x.a.com', 'a.com', 'x.a.com', '*.com', 'b.org'),
  fc.constantFrom('10.0.0.0/8', '0.0.0.0/0', '8.8.8.0/24', '[::1]', '[fd00::/8]', '[::/0]'),
  block4,
);
const ports = fc.oneof(
  fc.constantFrom('*', '443', '1-1024', '400-500'),
  port.map((one) => `${one}`),
);
const grants = fc
  .array(fc.tuple(host, ports), { maxLength: 5 })
  .map((pairs) => hosts(pairs.map(([one, range]) => `${one}:${range}`).join(' ')));
const target = fc.record({
  name: fc.oneof(name, address),
  address: fc.oneof(address, fc.constantFrom('10.1.2.3', '8.8.8.8', '::1', '127.0.0.1')),
  port: fc.oneof(port, fc.constantFrom(443, 80)),
});

test('what two have in common is never wider than either, and covered by both', () => {
  fc.assert(
    fc.property(grants, grants, target, (a, b, where) => {
      const both = intersect(a, b);
      assert.ok(covers(a, both) && covers(b, both));
      const can = (list: readonly HostPort[]): boolean => allows({ hosts: list, ...rest }, where);
      if (can(both)) assert.ok(can(a) && can(b), JSON.stringify({ a, b, both, where }));
      if (mayResolve(both, where.name, where.port)) {
        assert.ok(mayResolve(a, where.name, where.port));
        assert.ok(mayResolve(b, where.name, where.port));
      }
      assert.ok(covers(a, intersect(a, a)) && covers(intersect(a, a), a));
    }),
    { numRuns: 500 },
  );
});

test('whoever covers another allows all that it allows', () => {
  fc.assert(
    fc.property(grants, grants, target, (a, b, where) => {
      if (!covers(a, b)) return;
      if (allows({ hosts: b, ...rest }, where)) {
        assert.ok(allows({ hosts: a, ...rest }, where));
      }
    }),
    { numRuns: 500 },
  );
});

test('"*" opens no address that is not public', () => {
  fc.assert(
    fc.property(target, (where) => {
      const open = allows({ hosts: hosts('*:*'), ...rest }, where);
      const ip = parseIpAddress(where.address);
      assert.is(open, ip !== undefined && kindOf(ip) === 'public');
    }),
    { numRuns: 500 },
  );
});

test('a bundle gets what it asks for of what there is; by default of the public internet', () => {
  const asked = hosts('api.example.com:443 192.168.0.0/16:502 52.1.2.3:443');
  const shown = (grant: NetworkGrant): readonly string[] =>
    forBundle(grant, asked).hosts.map(formatHostPort);
  const byDefault: NetworkGrant = { ...noNetwork, implicit: true };
  assert.equal(shown(byDefault), ['api.example.com:443', '52.1.2.3:443']);
  const label = { ...noNetwork, hosts: hosts('*.example.com:*, 192.168.1.20:*, 10.0.0.1:80') };
  assert.equal(shown(label), ['api.example.com:443', '192.168.1.20:502']);
  assert.equal(shown(noNetwork), []);
});

test('any text is an answer, and what is read is written so that it reads the same', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const grant = parseHostPort(text);
      if (typeof grant !== 'string') assert.equal(parseHostPort(formatHostPort(grant)), grant);
    }),
  );
});

const read = (options: JsonObject) => {
  const { grants: found, problems, unhonoured } = readCreateOptions(options, 'o');
  return { ...found.network, problems, unhonoured };
};

test('createOptions: the label names the grants, "none" takes all, Docker’s default waits for the bundle', () => {
  const label = { 'isolet.network': 'a.com:443' };
  assert.equal(read({ Labels: label }).hosts.map(formatHostPort), ['a.com:443']);
  assert.is(read({ Labels: label }).implicit, false);
  for (const NetworkMode of ['default', 'bridge', 'host', 'azure-iot-edge', null]) {
    const network = read({ HostConfig: { NetworkMode } });
    assert.equal([network.hosts, network.implicit], [[], true], String(NetworkMode));
    assert.equal([network.problems, network.unhonoured], [[], []]);
  }
  assert.is(read({ Labels: { 'isolet.network': '' } }).implicit, false);
  for (const options of [{ HostConfig: { NetworkMode: 'none' } }, { NetworkDisabled: true }]) {
    const { hosts: found, implicit, extraHosts } = read({ Labels: label, ...options });
    assert.equal([found, implicit, extraHosts], [[], false, []]);
  }
  const { extraHosts, nameServers, problems } = read({
    HostConfig: {
      ExtraHosts: ['Printer:192.168.1.9', 'v6=[fd00::1]', 'w6:fd00:0::2', 'me:host-gateway'],
      Dns: ['1.1.1.1', '2606:4700::1111'],
    },
  });
  assert.equal(problems, []);
  assert.equal(extraHosts, [
    { name: 'printer', address: '192.168.1.9' },
    { name: 'v6', address: 'fd00::1' },
    { name: 'w6', address: 'fd00::2' },
    { name: 'me', address: '127.0.0.1' },
  ]);
  assert.equal(nameServers, ['1.1.1.1', '2606:4700::1111']);
  assert.equal(noNetwork, { hosts: [], implicit: false, extraHosts: [], nameServers: [] });
});

test('createOptions: nonsense is told with its path, all at once', () => {
  const { problems } = read({
    Labels: { 'isolet.network': 'a.com b.com:0' },
    HostConfig: {
      NetworkMode: 5,
      ExtraHosts: ['printer', ':1.2.3.4', 'a:1.2.3', '10.0.0.1:10.0.0.2', 7],
      Dns: ['dns.example', {}],
    },
  });
  assert.is(problems.length, 10, problems.join('\n'));
  for (const problem of problems) assert.match(problem, /^o\.(Labels|HostConfig)/);
  assert.is(read({ HostConfig: { ExtraHosts: {}, Dns: 'x' } }).problems.length, 2);
  assert.is(read({ Labels: { 'isolet.network': ['a:1'] } }).problems.length, 1);
});

test.run();
