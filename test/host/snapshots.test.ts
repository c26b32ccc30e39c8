/** The startup snapshot: made by its own program, kept, given to hosts; and what happens when it is bad. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { buildPrelude } from '../../build/guest.ts';
import { createModuleHost } from '../../src/host/module-host.ts';
import { createSnapshots, type Snapshots } from '../../src/host/snapshots.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { endOf, startNoting } from '../contracts/module-host.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { createFakeLog } from '../fakes/log.ts';
import { until } from '../fakes/within.ts';
import { tinyPrelude } from './tiny-prelude.ts';

const CALM_MS = 1_000;
const source = (path: string): string =>
  fileURLToPath(new URL(`../../src/host/${path}`, import.meta.url));

type Context = { folder: string; opened: Snapshots[] };

const test = suite<Context>('snapshots');
test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'isolet-snapshots-'));
  context.opened = [];
});
test.after.each(({ folder, opened }) => {
  for (const snapshots of opened) snapshots.stop();
  rmSync(folder, { recursive: true });
});

function open({ folder, opened }: Context, prelude: string, program = source('snapshot-main.ts')) {
  const clock = createFakeClock();
  const log = createFakeLog();
  const snapshots = createSnapshots({ folder, program, prelude, clock, log, calmMs: CALM_MS });
  opened.push(snapshots);
  const told = (level: string) => log.entries.filter((entry) => entry.level === level);
  return { clock, snapshots, told };
}

async function make(context: Context, prelude: string): Promise<Snapshots> {
  const { clock, snapshots, told } = open(context, prelude);
  assert.is(snapshots.current(), undefined);
  await clock.advance(CALM_MS);
  await until(
    20_000,
    'it is made, or failed',
    () => told('debug').length + told('warn').length > 0,
  );
  assert.equal(told('warn'), []);
  return snapshots;
}

test('one is made some time after the first host, once, and the next start finds it', async (context) => {
  const snapshots = await make(context, tinyPrelude);
  const blob = snapshots.current();
  assert.ok(blob !== undefined && blob.length > 100_000);
  const again = open(context, tinyPrelude);
  assert.equal(again.snapshots.current(), blob);
  assert.is(again.clock.pending(), 0, 'and nothing is to be made');
});

test('another platform has another one, and the old one goes', async (context) => {
  await make(context, tinyPrelude);
  const before = readdirSync(context.folder);
  const { snapshots } = open(context, `${tinyPrelude};1`);
  assert.is(snapshots.current(), undefined);
  assert.equal(readdirSync(context.folder), before, 'until there is the new one');
  await make(context, `${tinyPrelude};2`);
  const after = readdirSync(context.folder);
  assert.is(after.length, 1);
  assert.is.not(after[0], before[0]);
});

test('a damaged one is thrown away and made again', async (context) => {
  await make(context, tinyPrelude);
  const file = join(context.folder, readdirSync(context.folder)[0] as string);
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] as number) ^ 1;
  writeFileSync(file, bytes);
  const { clock, snapshots, told } = open(context, tinyPrelude);
  assert.is(snapshots.current(), undefined);
  assert.match(told('warn')[0]?.message ?? '', 'damaged');
  await clock.advance(CALM_MS);
  await until(20_000, 'it is made again', () => snapshots.current() !== undefined);
});

test('one that cannot be made is a warning, and tried no more', async (context) => {
  const failing = open(context, 'throw new Error("no world")');
  assert.is(failing.snapshots.current(), undefined);
  await failing.clock.advance(CALM_MS);
  await until(20_000, 'the warning', () => failing.told('warn').length > 0);
  assert.match(failing.told('warn')[0]?.message ?? '', 'could not be made');
  assert.is(failing.snapshots.current(), undefined);
  assert.is(failing.clock.pending(), 0);
  assert.equal(readdirSync(context.folder), []);
});

test('modules run from it as they do without', async (context) => {
  const snapshots = await make(context, await buildPrelude());
  const prelude = await buildPrelude();
  const { started, ended } = await runOne(
    prelude,
    snapshots,
    `if (typeof __isoletWorld !== 'undefined' || typeof gc !== 'undefined') throw new Error('left over');
     if (!new Error('here').stack.includes('/m/main.js:2')) throw new Error('no place');
     if (new Function('return Buffer.from("ä").length')() !== 2) throw new Error('no Buffer');
     setTimeout(() => process.exit(7), 1);`,
  );
  assert.ok(started);
  assert.match(ended, 'process.exit(7)');
  const world = 'throw new Error(Object.getOwnPropertyNames(globalThis).sort().join())';
  const [baked, evaluated] = [
    await runOne(prelude, snapshots, world),
    await runOne(prelude, undefined, world),
  ];
  assert.match(evaluated.ended, 'clearTimeout');
  assert.is(baked.ended, evaluated.ended);
});

test('a host that dies of it costs no module anything, and the next goes without', async () => {
  const rejected: string[] = [];
  // V8 ends the process that is given this.
  const bad: Snapshots = {
    current: () => (rejected.length === 0 ? new Uint8Array(600_000).fill(7) : undefined),
    reject: (reason) => void rejected.push(reason),
    stop() {},
  };
  const code = 'setTimeout(() => process.exit(0), 1)';
  const prelude = await buildPrelude();
  const first = await runOne(prelude, bad, code);
  assert.not(first.started);
  assert.is(first.cause, 'host lost', first.ended);
  assert.is(rejected.length, 1);
  assert.ok((await runOne(prelude, bad, code)).started);
});

async function runOne(prelude: string, snapshots: Snapshots | undefined, code: string) {
  const log = createFakeLog();
  const hostMain = source('main.ts');
  const host = createModuleHost({
    hostMain,
    prelude,
    ...(snapshots && { snapshots }),
    clock: systemClock,
    log,
  });
  try {
    const told = startNoting(host, { module: 'm', code });
    const end = await endOf(told);
    return { started: told.calls.includes('started'), ended: end.reason, cause: end.cause };
  } finally {
    await host.stop();
  }
}

test.run();
