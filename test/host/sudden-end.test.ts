/**
 * A host that ends, stops or swells before it can tell over what: the module at work is blamed all the
 * same, so that one that takes its host with it at every start does not do so for ever.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { EndingCause, ModuleHost } from '../../src/core/ports.ts';
import type { HostSettings } from '../../src/host/host-settings.ts';
import { createModuleHost } from '../../src/host/module-host.ts';
import { countOomKills } from '../../src/host/oom-kills.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { endOf, input, startNoting, startOf, type Told } from '../contracts/module-host.ts';
import { until } from '../fakes/within.ts';

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** A host without isolates: each of its modules runs at once, and what is posted to one is a wish. */
const HOST = `
import { Socket } from 'node:net';
const frame = (kind, handle, json) => {
  const data = Buffer.alloc(13 + json.length);
  data.writeUInt32LE(9 + json.length, 0); data[4] = kind;
  data.writeUInt32LE(handle, 5); data.writeUInt32LE(json.length, 9); data.write(json, 13);
  return data;
};
const pipe = new Socket({ fd: 3 });
const urgent = new Socket({ fd: 4 });
const pulse = (handle, more) => {
  const used = { cpuMs: 5, heapBytes: 0, cpuWaitMs: 0, messageWaitMs: 0 };
  const nothing = { handle, ...used, grownBytes: 0, turnMs: 0, doomed: false };
  urgent.write(frame(5, 0, JSON.stringify([{ ...nothing, ...more }])));
};
const beat = setInterval(() => pulse(1), 20);
const kept = [];
const wishes = {
  abort: () => process.abort(),
  segfault: () => process.kill(process.pid, 'SIGSEGV'),
  'grown and killed': () => {
    pulse(2, { grownBytes: 9e6 });
    setTimeout(wishes.killed, 50);
  },
  killed: () => process.kill(process.pid, 'SIGKILL'),
  exit: () => process.exit(1),
  silence: () => clearInterval(beat),
  swell: () => { clearInterval(beat); setInterval(() => kept.push(Buffer.alloc(32e6, 1)), 5); },
};
let rest = Buffer.alloc(0);
pipe.on('data', (chunk) => {
  rest = Buffer.concat([rest, chunk]);
  while (rest.length >= 4 && rest.length >= 4 + rest.readUInt32LE(0)) {
    const size = rest.readUInt32LE(0), kind = rest[4], handle = rest.readUInt32LE(5);
    const json = rest.toString('utf8', 13, 13 + rest.readUInt32LE(9));
    rest = rest.subarray(4 + size);
    if (kind === 2) pipe.write(frame(1, handle, ''));
    if (kind === 3) wishes[JSON.parse(json)[0].b]?.();
  }
});
`;

const test = suite<{ folder: string; hostMain: string }>('sudden end');
test.before((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'isolet-sudden-'));
  context.hostMain = join(context.folder, 'host.mjs');
  writeFileSync(context.hostMain, HOST);
});
test.after(({ folder }) => rmSync(folder, { recursive: true }));

async function three(
  hostMain: string,
  settings: Partial<HostSettings> = {},
  oomKills: () => number = () => 0,
): Promise<{ host: ModuleHost; modules: readonly [Told, Told, Told] }> {
  const host = createModuleHost({
    hostMain,
    prelude: '',
    clock: systemClock,
    log: silent,
    settings,
    oomKills,
  });
  const start = (module: string): Told => startNoting(host, { module, code: '' });
  const modules = [start('first'), start('culprit'), start('last')] as const;
  for (const told of modules) await startOf(told);
  await until(10_000, 'the host speaks', () => host.metrics('first')?.cpuMs === 5);
  return { host, modules };
}

const cases: readonly (readonly [string, EndingCause, Partial<HostSettings>])[] = [
  ['abort', 'crashed', {}],
  ['segfault', 'crashed', {}],
  ['silence', 'wedged', { silenceMs: 200, heartbeatMs: 50 }],
  ['swell', 'out of memory', { baseMb: 200, heapFactor: 0, memoryMs: 50 }],
];

for (const [wish, cause, settings] of cases) {
  test(`${wish}: whoever was at work last is blamed, and nobody else`, async ({ hostMain }) => {
    const { host, modules } = await three(hostMain, settings);
    const [first, culprit, last] = modules;
    first.running.post([input(1, 'nothing')], [undefined]);
    culprit.running.post([input(2, wish)], [undefined]);
    const ending = await endOf(culprit);
    assert.equal([ending.cause, ending.tookHost], [cause, true], ending.reason);
    for (const told of [first, last]) assert.is((await endOf(told)).cause, 'host lost');
    await host.stop();
  });
}

for (const wish of ['killed', 'exit']) {
  test(`${wish}: no module can have done that, and none is blamed`, async ({ hostMain }) => {
    const { host, modules } = await three(hostMain);
    modules[1].running.post([input(1, wish)], [undefined]);
    for (const told of modules) {
      const ending = await endOf(told);
      assert.equal([ending.cause, ending.tookHost], ['host lost', undefined]);
    }
    await host.stop();
  });
}

test('killed by the kernel for want of memory: who used most is blamed', async ({ hostMain }) => {
  let kills = 3;
  const { host, modules } = await three(hostMain, {}, () => kills);
  kills++;
  modules[1].running.post([input(1, 'grown and killed')], [undefined]);
  const ending = await endOf(modules[1]);
  assert.equal([ending.cause, ending.tookHost], ['out of memory', true]);
  assert.is((await endOf(modules[0])).cause, 'host lost');
  await host.stop();
});

test('the kernel tells how often it did that', () => {
  assert.ok(Number.isSafeInteger(countOomKills()) && countOomKills() >= 0);
});

test.run();
