import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type Asked, readAsked } from '../../src/core/asked.ts';
import { decide, type Granted } from '../../src/core/capabilities.ts';
import { pathRights } from '../../src/core/capability-paths.ts';
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
  memoryAt: 'Memory',
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
  const asked: Asked = { files: [], devices: [], memoryMb: 64 };
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

const path = fc.constantFrom('/a', '/a/b', '/ab', '/c', '/a/b/c');
const rule = fc.record({ path, writable: fc.boolean() });
const device = fc.constantFrom('/dev/i2c-1', '/dev/spidev0.0', '/dev/ttyS0');
const deviceRule = fc.constantFrom('/dev/i2c-*', 'i2c', 'spi', '/dev/ttyS0', '/dev/*');
const sides = fc.record({
  asked: fc.option(
    fc.record({
      files: fc.array(rule),
      devices: fc.array(deviceRule),
      memoryMb: fc.option(fc.integer({ min: 8, max: 99 }), { nil: undefined }),
    }),
    { nil: undefined },
  ),
  binds: fc.array(fc.record({ source: path, target: path, writable: fc.boolean() })),
  devices: fc.array(device),
  memoryMb: fc.option(fc.integer({ min: 8, max: 99 }), { nil: undefined }),
  policy: fc.record({
    binds: fc.option(fc.array(rule), { nil: undefined }),
    devices: fc.option(fc.array(deviceRule), { nil: undefined }),
    memoryMbMax: fc.option(fc.integer({ min: 8, max: 99 }), { nil: undefined }),
  }),
});

test('the result is never wider than any of the three, and deciding again changes nothing', () => {
  fc.assert(
    fc.property(sides, ({ asked, binds, devices, memoryMb, policy: allowed }) => {
      const first = granted({
        grants: {
          ...noGrants,
          binds,
          devices: devices.map((one) => ({
            path: one,
            target: one,
            kind: undefined,
            readable: true,
            writable: true,
            at: one,
          })),
        },
        memoryMb,
      });
      const decision = decide(asked, first, allowed);
      for (const { source, target, writable } of decision.grants.binds) {
        const from = binds.filter((bind) => bind.source === source && bind.target === target);
        assert.ok(from.some((bind) => bind.writable || !writable));
        for (const rights of [
          asked && pathRights(target, asked.files),
          allowed.binds && pathRights(source, allowed.binds),
        ]) {
          if (rights !== undefined) assert.ok(rights.readable && (rights.writable || !writable));
        }
      }
      assert.ok(decision.memoryMb <= (memoryMb ?? 32));
      assert.ok(decision.memoryMb <= (asked?.memoryMb ?? 99));
      assert.ok(decision.memoryMb <= (allowed.memoryMbMax ?? 99));
      const again = decide(
        asked,
        { ...first, grants: decision.grants, memoryMb: decision.memoryMb },
        allowed,
      );
      assert.equal(again.grants, decision.grants);
      assert.is(again.memoryMb, decision.memoryMb);
      assert.equal(again.refusals, []);
      const turned = decide(
        asked && {
          ...asked,
          files: asked.files.toReversed(),
          devices: asked.devices.toReversed(),
        },
        { ...first, grants: { ...first.grants, binds: binds.toReversed() } },
        { ...allowed, binds: allowed.binds?.toReversed() },
      );
      assert.equal(turned.grants.binds.toReversed(), decision.grants.binds);
    }),
  );
});

test.run();
