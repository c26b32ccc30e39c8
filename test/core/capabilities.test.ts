import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Asked, asksNothing, readAsked } from '../../src/core/asked.ts';
import { decide } from '../../src/core/capabilities.ts';
import { deviceMatches, pathRights } from '../../src/core/capability-paths.ts';
import type { Granted } from '../../src/core/capability-refusal.ts';
import { deviceKind } from '../../src/core/create-options-devices.ts';
import type { DeviceGrant } from '../../src/core/device-grant.ts';
import { allows, covers, type HostPort, type NetworkGrant } from '../../src/core/network-grant.ts';
import { readHostPorts } from '../../src/core/network-grant-text.ts';
import { noPolicy, type Policy, readPolicy } from '../../src/core/policy.ts';
import { noGrants } from '../../src/core/ports.ts';

const test = suite('capabilities');
const AT = 'modules.m.settings.createOptions.HostConfig.Binds[0]';

const granted = (over: Partial<Granted> = {}): Granted => ({
  grants: {
    ...noGrants,
    binds: [{ source: '/srv/site', target: '/data', writable: true, at: AT }],
  },
  memoryMb: undefined,
  memoryDefaultMb: 32,
  at: 'options',
  ...over,
});
const asks = (files: string[]): Asked => readAsked({ files }, 'asked', []);
const policy = (binds: string[]): Policy => readPolicy({ binds }, 'isolet.policy', []);

test('a bundle that declares nothing gets what is granted', () => {
  const decision = decide(undefined, granted(), noPolicy);
  assert.equal(decision.grants, granted().grants);
  assert.equal(decision.refusals, []);
  assert.is(decision.memoryMb, 32);
});

test('what is asked for reading only is for reading only', () => {
  const { grants, refusals } = decide(asks(['/data:ro']), granted(), noPolicy);
  assert.is(grants.binds[0]?.writable, false);
  assert.equal(refusals, []);
});

test('what is not asked for is not given, and said', () => {
  const { grants, refusals, missing } = decide(asks(['/database']), granted(), noPolicy);
  assert.equal(grants.binds, []);
  assert.is(refusals[0]?.by, 'bundle');
  assert.match(missing[0] ?? '', 'asks for /database');
});

test('a policy refuses with the field and the remedy', () => {
  for (const binds of [['/srv:ro'], ['/srv/sit'], []]) {
    const { refusals } = decide(undefined, granted(), policy(binds));
    assert.is(refusals[0]?.by, 'policy');
    assert.match(refusals[0]?.sentence ?? '', AT);
    assert.match(refusals[0]?.sentence ?? '', 'isolet.policy.binds');
  }
  assert.equal(decide(asks(['/data:ro']), granted(), policy(['/srv:ro'])).refusals, []);
});

test('memory is the least of the three', () => {
  const asked: Asked = { ...asksNothing, memoryMb: 64 };
  assert.is(decide(asked, granted({ memoryMb: 128 }), noPolicy).memoryMb, 64);
  const strict = { ...noPolicy, memoryMbMax: 16 };
  assert.is(decide(undefined, granted(), strict).memoryMb, 16);
  assert.is(decide(undefined, granted({ memoryMb: 128 }), strict).refusals[0]?.by, 'policy');
});

test('what is wrong with a declaration is told at once', () => {
  const problems: string[] = [];
  readAsked({ files: ['data', '/a/../b'], devices: ['/etc'], memoryMB: 4 }, 'at', problems);
  assert.is(problems.length, 4);
  assert.match(problems[0] ?? '', 'did you mean memoryMb?');
});

const hosts = (text: string): readonly HostPort[] => readHostPorts(text, 'label', []);
const net = (text: string | undefined, over: Partial<NetworkGrant> = {}): Granted =>
  granted({
    grants: {
      ...noGrants,
      network: {
        hosts: hosts(text ?? ''),
        implicit: text === undefined,
        extraHosts: [],
        nameServers: [],
        ...over,
      },
    },
  });
const asksHosts = (text: string): Asked => ({ ...asksNothing, network: hosts(text) });
const policyHosts = (text: string): Policy => ({ ...noPolicy, network: hosts(text) });

test('the default network is for bundles that ask, and a policy narrows it without a word', () => {
  assert.equal(decide(undefined, net(undefined), noPolicy).grants.network.hosts, []);
  const asked = asksHosts('api.example.com:443, 192.168.1.20:502');
  const open = decide(asked, net(undefined), noPolicy);
  assert.equal(open.grants.network.hosts, hosts('api.example.com:443'));
  assert.match(open.missing[0] ?? '', 'the label "isolet.network"');
  const narrowed = decide(asked, net(undefined), policyHosts('*:80'));
  assert.equal(narrowed.grants.network.hosts, []);
  assert.equal(narrowed.refusals, []);
  assert.match(narrowed.missing[0] ?? '', 'isolet.policy.network');
});

test('hosts granted beyond the policy are refused with the label and the remedy', () => {
  const { grants, refusals } = decide(
    undefined,
    net('api.example.com:443, 192.168.1.20:502'),
    policyHosts('*:443'),
  );
  assert.equal(grants.network.hosts, hosts('api.example.com:443'));
  assert.equal(
    refusals.map(({ by, what }) => `${by} ${what}`),
    ['policy 192.168.1.20:502'],
  );
  assert.match(
    refusals[0]?.sentence ?? '',
    /^options\.Labels\["isolet\.network"\]: .*isolet\.policy\.network/,
  );
  // What the bundle does not ask for is not given, and so the policy has nothing against it.
  const asked = decide(
    asksHosts('*:443'),
    net('api.example.com:443, 192.168.1.20:502'),
    policyHosts('*:443'),
  );
  assert.equal(
    asked.refusals.map(({ by }) => by),
    ['bundle'],
  );
});

test('no narrowing opens a private address that ExtraHosts names', () => {
  const extraHosts = [{ name: 'camera.lan', address: '192.168.1.31' }];
  const target = { name: 'camera.lan', address: '192.168.1.31', port: 80 };
  const opens = (text: string, asked: string | undefined, allowed: string | undefined): boolean => {
    const sides = [asked && asksHosts(asked), allowed && policyHosts(allowed)] as const;
    const { grants } = decide(
      sides[0] === '' ? undefined : sides[0],
      net(text, { extraHosts }),
      sides[1] === '' || sides[1] === undefined ? noPolicy : sides[1],
    );
    return allows(grants.network, target);
  };
  assert.ok(opens('camera.lan:80', undefined, undefined));
  assert.ok(opens('camera.lan:80', '*:80', undefined));
  assert.ok(opens('camera.lan:80', '*:80', '*:80, 192.168.1.31:80'));
  assert.not.ok(opens('*:80', undefined, undefined));
  assert.not.ok(opens('*:80', '*.lan:80', undefined), 'the bundle named it');
  assert.not.ok(
    opens('*:80', undefined, 'camera.lan:80, 192.168.0.0/16:80'),
    'the policy named it',
  );
  assert.not.ok(opens('camera.lan:80', undefined, '*:80'), 'the policy is for public ones');
  const { refusals } = decide(undefined, net('camera.lan:80', { extraHosts }), policyHosts('*:80'));
  assert.match(refusals[0]?.sentence ?? '', 'options.HostConfig.ExtraHosts: the policy');
});

test('ports are asked by the module’s number and allowed by the device’s', () => {
  const publish = (port: number): Granted =>
    granted({
      grants: { ...noGrants, ports: [{ port: 8080, published: [{ ip: '', port, at: 'here' }] }] },
    });
  const allowed = readPolicy({ ports: ['8000-9000'] }, 'isolet.policy', []);
  const asked: Asked = { ...asksNothing, ports: [8080] };
  assert.equal(decide(asked, publish(8081), allowed).refusals, []);
  assert.equal(decide(asked, publish(8081), allowed).grants, publish(8081).grants);
  for (const port of [80, 0]) {
    const { grants, refusals } = decide(asked, publish(port), allowed);
    assert.equal(grants.ports, [{ port: 8080, published: [] }]);
    assert.match(
      refusals[0]?.sentence ?? '',
      /^here: .*it allows 8000-9000.*isolet\.policy\.ports/,
    );
  }
  const free = readPolicy({ ports: ['1024-65535'] }, 'isolet.policy', []);
  assert.equal(decide(asked, publish(0), free).refusals, []);
  const other = decide({ ...asksNothing, ports: [9090] }, publish(8081), allowed);
  assert.equal(other.grants.ports, []);
  assert.is(other.refusals[0]?.by, 'bundle');
  assert.match(other.missing[0] ?? '', 'asks for port 9090');
});

test('a policy that says nothing sensible is told, each entry', () => {
  const problems: string[] = [];
  readPolicy({ network: ['http://a', 'a:1'], ports: ['80', '90-80', '0', 8] }, 'p', problems);
  assert.equal(
    problems.map((problem) => problem.split(' ')[0]),
    ['p.network[0]', 'p.ports[1]', 'p.ports[2]', 'p.ports[3]'],
  );
  const asked: string[] = [];
  readAsked({ network: ['a'], ports: ['80'] }, 'at', asked);
  assert.is(asked.length, 2);
});

test('a device is asked for by the path the module sees, allowed by the one the device has', () => {
  const problems: string[] = [];
  const devices: readonly DeviceGrant[] = [
    {
      path: '/dev/ttyUSB0',
      target: '/dev/meter',
      kind: 'serial',
      readable: true,
      writable: true,
      at: 'Devices[0]',
    },
  ];
  const sides = granted({ grants: { ...noGrants, devices } });
  const given = (asked: string, allowed: string): number =>
    decide(
      readAsked({ devices: [asked] }, 'asked', problems),
      sides,
      readPolicy({ devices: [allowed] }, 'policy', problems),
    ).grants.devices.length;
  assert.is(given('/dev/meter', '/dev/ttyUSB*'), 1);
  assert.is(given('serial', 'serial'), 1);
  assert.is(given('/dev/ttyUSB0', 'serial'), 0);
  assert.is(given('serial', '/dev/meter'), 0);
  assert.is(given('i2c', 'serial'), 0);
  assert.equal(problems, []);
});

test('a star stands for letters, and many of them cost no time', () => {
  const matches = (path: string, rule: string): boolean =>
    deviceMatches({ path, kind: undefined }, rule);
  assert.ok(matches('/dev/i2c-1', '/dev/i2c-*'));
  assert.ok(matches('/dev/i2c-', '/dev/i2c-*'));
  assert.ok(matches('/dev/spidev0.1', '/dev/s*d*.*'));
  assert.not.ok(matches('/dev/aba', '/dev/ab*ba'));
  assert.not.ok(matches('/dev/serial/x', '/dev/serial*'));
  assert.not.ok(matches('/dev/i2c-1', '/dev/i2c.1'));
  assert.not.ok(matches(`/dev/${'a'.repeat(200)}`, `/dev/${'*a'.repeat(300)}b`));
});

const path = fc.constantFrom('/a', '/a/b', '/ab', '/c', '/a/b/c');
const rule = fc.record({ path, writable: fc.boolean() });
const device = fc.constantFrom('/dev/i2c-1', '/dev/spidev0.0', '/dev/ttyS0');
const deviceGrant = fc.tuple(device, device).map(([path, target]) => ({
  path,
  target,
  kind: deviceKind(path),
  readable: true,
  writable: true,
  at: path,
}));
const deviceRule = fc.constantFrom('/dev/i2c-*', 'i2c', 'spi', '/dev/ttyS0', '/dev/*');
const host = fc
  .tuple(
    fc.constantFrom(
      '*',
      '*.a.b',
      'x.a.b',
      'a.b',
      '8.8.8.8',
      '8.8.0.0/16',
      '10.0.0.1',
      '10.0.0.0/8',
      '[::1]',
    ),
    fc.constantFrom('80', '80-90', '85-443', '*'),
  )
  .map((parts) => hosts(parts.join(':'))[0] as HostPort);
const extraHost = fc.record({
  name: fc.constantFrom('x.a.b', 'a.b'),
  address: fc.constantFrom('10.0.0.1', '8.8.8.8', '::1'),
});
const port = fc.constantFrom(80, 443, 8080);
const portGrant = fc.record({
  port,
  published: fc.array(
    fc.record({ ip: fc.constant(''), port: fc.constantFrom(0, 80, 8080), at: fc.constant('') }),
  ),
});
const portRange = fc.constantFrom(
  { first: 80, last: 80 },
  { first: 1024, last: 65_535 },
  { first: 1, last: 65_535 },
);
const memory = fc.option(fc.integer({ min: 8, max: 99 }), { nil: undefined });
const maybe = <T>(one: fc.Arbitrary<T>) => fc.option(one, { nil: undefined });
const sides = fc.record({
  asked: maybe(
    fc.record({
      files: fc.array(rule),
      devices: fc.array(deviceRule),
      network: fc.array(host, { maxLength: 4 }),
      ports: fc.array(port),
      memoryMb: memory,
    }),
  ),
  grants: fc.record({
    binds: fc.array(fc.record({ source: path, target: path, writable: fc.boolean() })),
    devices: fc.array(deviceGrant),
    ports: fc.array(portGrant),
    network: fc
      .record({
        hosts: fc.array(host, { maxLength: 4 }),
        implicit: fc.boolean(),
        extraHosts: fc.array(extraHost, { maxLength: 2 }),
        nameServers: fc.constant([]),
      })
      // As it is read: what is implicit has no list.
      .map((one) => (one.implicit ? { ...one, hosts: [] } : one)),
  }),
  memoryMb: memory,
  policy: fc.record({
    binds: maybe(fc.array(rule)),
    devices: maybe(fc.array(deviceRule)),
    network: maybe(fc.array(host, { maxLength: 4 })),
    ports: maybe(fc.array(portRange)),
    memoryMbMax: memory,
  }),
});
const target = fc.record({
  name: fc.constantFrom('x.a.b', 'y.a.b', 'a.b', 'c'),
  address: fc.constantFrom('8.8.8.8', '8.8.4.4', '10.0.0.1', '10.0.0.2', '::1', '1.1.1.1'),
  port: fc.constantFrom(80, 85, 90, 443, 444),
});

test('the result is never wider than any of the three', () => {
  fc.assert(
    fc.property(sides, target, ({ asked, grants, memoryMb, policy: allowed }, place) => {
      const decision = decide(asked, granted({ grants, memoryMb }), allowed);
      for (const { source, target: to, writable } of decision.grants.binds) {
        const from = grants.binds.filter((bind) => bind.source === source && bind.target === to);
        assert.ok(from.some((bind) => bind.writable || !writable));
        for (const rights of [
          asked && pathRights(to, asked.files),
          allowed.binds && pathRights(source, allowed.binds),
        ]) {
          if (rights !== undefined) assert.ok(rights.readable && (rights.writable || !writable));
        }
      }
      for (const one of decision.grants.devices) {
        assert.ok(grants.devices.some(({ path: each }) => each === one.path));
        const inside = { path: one.target, kind: one.kind };
        assert.ok(asked?.devices.some((each) => deviceMatches(inside, each)) ?? true);
        assert.ok(allowed.devices?.some((each) => deviceMatches(one, each)) ?? true);
      }
      for (const { port: own, published } of decision.grants.ports) {
        assert.ok(grants.ports.some((one) => one.port === own));
        assert.ok(asked?.ports.some((each) => each === own) ?? true);
        for (const { port: outer } of published) {
          assert.ok(
            grants.ports.some((one) => one.published.some(({ port: each }) => each === outer)),
          );
          if (outer === 0 || allowed.ports === undefined) continue;
          assert.ok(allowed.ports.some(({ first, last }) => first <= outer && outer <= last));
        }
      }
      const { network } = grants;
      if (allows(decision.grants.network, place)) {
        // Places, not lists: this is what a module would notice.
        const asHosts = (list: readonly HostPort[]): boolean =>
          allows({ hosts: list, extraHosts: [], implicit: false }, place);
        const outer = network.implicit ? { ...network, hosts: hosts('*:*') } : network;
        assert.ok(allows(outer, place), 'granted');
        // ExtraHosts are the operator's: a bundle asks for names.
        const named = {
          hosts: asked?.network ?? hosts('*:*'),
          extraHosts: network.extraHosts,
          implicit: false,
        };
        if (asked !== undefined)
          assert.ok(
            allows(named, place) ||
              covers(asked.network, [
                { host: place.name, firstPort: place.port, lastPort: place.port },
              ]),
            'asked',
          );
        if (allowed.network !== undefined) assert.ok(asHosts(allowed.network), 'allowed');
      }
      assert.ok(decision.memoryMb <= (memoryMb ?? 32));
      assert.ok(decision.memoryMb <= (asked?.memoryMb ?? 99));
      assert.ok(decision.memoryMb <= (allowed.memoryMbMax ?? 99));
    }),
    { numRuns: 2_000 },
  );
});

test('deciding again changes nothing, and order does not matter', () => {
  fc.assert(
    fc.property(sides, ({ asked, grants, memoryMb, policy: allowed }) => {
      const first = granted({ grants, memoryMb });
      const decision = decide(asked, first, allowed);
      const again = decide(
        asked,
        { ...first, grants: decision.grants, memoryMb: decision.memoryMb },
        allowed,
      );
      same(again.grants, decision.grants);
      assert.is(again.memoryMb, decision.memoryMb);
      assert.equal(again.refusals, []);
      const turned = decide(
        asked && (reversed(asked) as Asked),
        { ...first, grants: reversed(grants) as typeof grants },
        reversed(allowed) as Policy,
      );
      same(turned.grants, decision.grants);
      assert.equal(
        new Set(turned.refusals.map(({ sentence }) => sentence)).size,
        new Set(decision.refusals.map(({ sentence }) => sentence)).size,
      );
    }),
  );
});

/** The same rights, in whatever order; hosts may be said in more words. */
function same(one: Granted['grants'], other: Granted['grants']): void {
  const { hosts: some, ...rest } = one.network;
  const { hosts: others, ...otherRest } = other.network;
  assert.ok(covers(some, others) && covers(others, some));
  assert.equal(sorted({ ...one, network: rest }), sorted({ ...other, network: otherRest }));
}

const sorted = (value: unknown): unknown =>
  mapArrays(value, (list) =>
    list.toSorted((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)),
  );
const reversed = (value: unknown): unknown => mapArrays(value, (list) => list.toReversed());

function mapArrays(value: unknown, change: (list: readonly unknown[]) => unknown): unknown {
  if (Array.isArray(value)) return change(value.map((one: unknown) => mapArrays(one, change)));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, mapArrays(one, change)]),
  );
}

test.run();
