import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { LOG_SETTINGS, type LogSettings, type LogShelf } from '../../src/core/log-shelf.ts';
import type { LogLine } from '../../src/core/summaries.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { createLogFolder, type LogFolder } from '../../src/store/log-folder.ts';
import { allOf } from '../fakes/all-of.ts';
import { createFakeClock } from '../fakes/clock.ts';
import { until } from '../fakes/within.ts';

const test = suite('log folder');

const KB = 1_024;
const folders: string[] = [];
const open: LogFolder[] = [];

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'isolet-logs-'));
  folders.push(folder);
  return join(folder, 'logs');
}

function openFolder(
  dir: string,
  change: Partial<LogSettings> = {},
  freeBytes = async () => 1e12,
): LogFolder {
  const folder = createLogFolder(dir, { ...LOG_SETTINGS, ...change }, systemClock, freeBytes);
  folder.open();
  open.push(folder);
  return folder;
}

const line = (text: string, change: Partial<LogLine> = {}): LogLine => ({
  atMs: 1_700_000_000_000,
  module: 'm',
  level: 'info',
  text,
  ...change,
});

async function texts(shelf: LogShelf, module = 'm'): Promise<readonly string[]> {
  return (await allOf(shelf.read(module, 'oldest'))).map(({ text }) => text);
}

const filesIn = (dir: string): readonly string[] =>
  readdirSync(dir, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.jsonl'))
    .map((name) => join(dir, name))
    .sort();
const bytesIn = (dir: string): number =>
  filesIn(dir).reduce((sum, file) => sum + statSync(file).size, 0);

test.after(async () => {
  for (const folder of open) await folder.close();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

test('lines are there at once, and after a restart, with level, time and fields', async () => {
  const dir = newFolder();
  const first = openFolder(dir);
  const whole = line('hot "quoted"\nand a second line', {
    level: 'warn',
    fields: { celsius: 90, where: { at: ['a'] } },
  });
  first.append(whole);
  assert.equal(await allOf(first.read('m', 'newest')), [whole]);
  first.append(line('later'));
  first.append(line('of the runtime', { module: '$edgeAgent' }));
  await first.close();
  const second = openFolder(dir);
  assert.equal([...(await second.modules())].sort(), ['$edgeAgent', 'm']);
  assert.equal(await allOf(second.read('m', 'oldest')), [whole, line('later')]);
  assert.equal(await texts(second, '$edgeAgent'), ['of the runtime']);
  assert.equal(await texts(second, 'nobody'), []);
});

test('a reader gets what was said before it asked, and nothing of later', async () => {
  const shelf = openFolder(newFolder());
  await shelf.modules();
  const asked: Promise<readonly string[]>[] = [];
  for (let index = 0; index < 200; index++) {
    shelf.append(line(`${index}`, index % 7 === 0 ? { level: 'error' } : {}));
    asked.push(texts(shelf));
    if (index % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const [index, answer] of asked.entries()) {
    assert.equal(
      await answer,
      Array.from({ length: index + 1 }, (_, each) => `${each}`),
    );
  }
});

test('files are bounded in size and number, the newest lines stay, in order', async () => {
  const dir = newFolder();
  const shelf = openFolder(dir, { fileBytesMax: 4 * KB, filesMax: 3, pendingBytesMax: KB });
  for (let index = 0; index < 500; index++) {
    shelf.append(line(`line ${index}`));
    if (index % 20 === 0) await texts(shelf);
  }
  const kept = await texts(shelf);
  const all = Array.from({ length: 500 }, (_, index) => `line ${index}`);
  assert.equal(kept, all.slice(-kept.length));
  assert.ok(kept.length > 100 && kept.length < 250, String(kept.length));
  assert.is(filesIn(dir).length, 3);
  for (const file of filesIn(dir)) assert.ok(statSync(file).size <= 4 * KB, file);
  const newest: string[] = [];
  for await (const part of shelf.read('m', 'newest')) {
    newest.unshift(...part.map(({ text }) => text));
  }
  assert.equal(newest, kept);
  await shelf.close();
  // The numbers of files go on after a restart, and so do the bounds.
  const again = openFolder(dir, { fileBytesMax: 4 * KB, filesMax: 3, pendingBytesMax: KB });
  again.append(line('and more'));
  assert.equal(await texts(again), [...kept.slice(-(await texts(again)).length + 1), 'and more']);
  assert.is(again.counters.bytes <= 12 * KB, true);
});

test('all modules together are bounded: whoever has most loses the oldest', async () => {
  const dir = newFolder();
  const shelf = openFolder(dir, {
    fileBytesMax: 4 * KB,
    totalBytesMax: 16 * KB,
    pendingBytesMax: KB,
  });
  shelf.append(line('the only one', { module: 'quiet' }));
  for (let index = 0; index < 1_000; index++) {
    shelf.append(line(`line ${index}`, { module: `loud-${index % 5}` }));
    if (index % 10 === 0) await texts(shelf, 'quiet');
  }
  await shelf.close();
  assert.ok(bytesIn(dir) <= 16 * KB, String(bytesIn(dir)));
  assert.is(bytesIn(dir), shelf.counters.bytes);
  assert.equal(await texts(shelf, 'quiet'), ['the only one']);
});

test('what a power cut leaves is read as far as it goes, and written on behind it', async () => {
  const dir = newFolder();
  const first = openFolder(dir);
  for (let index = 0; index < 5; index++) first.append(line(`line ${index}`));
  await first.close();
  const [file] = filesIn(dir);
  for (const tear of [
    () => truncateSync(file as string, statSync(file as string).size - 7),
    () => appendFileSync(file as string, Buffer.alloc(100)),
    () => appendFileSync(file as string, '{"at":17,"of":"m","lev'),
    () => appendFileSync(file as string, Buffer.from([0xff, 0xfe, 0x00, 0x0a])),
  ]) {
    tear();
    const next = openFolder(dir);
    next.append(line('after the cut'));
    const read = await texts(next);
    assert.equal(read.slice(0, 4), ['line 0', 'line 1', 'line 2', 'line 3']);
    assert.is(read.at(-1), 'after the cut');
    await next.close();
  }
});

test('lines are gathered: a hundred of them are one write, an error goes to the disk at once', async () => {
  const dir = newFolder();
  const clock = createFakeClock();
  const shelf = createLogFolder(dir, LOG_SETTINGS, clock, async () => 1e12);
  shelf.append(line('before it is open'));
  assert.equal(filesIn(join(dir, '..')), []);
  shelf.open();
  for (let index = 0; index < 100; index++) shelf.append(line(`line ${index}`));
  await clock.advance(LOG_SETTINGS.flushMs - 100);
  assert.equal(filesIn(join(dir, '..')), []);
  await clock.advance(100);
  await until(2_000, 'the write', () => bytesIn(join(dir, '..')) > 5_000);
  const before = bytesIn(dir);
  shelf.append(line('gathered'));
  shelf.append(line('it fails', { level: 'error' }));
  await until(2_000, 'the error', () => bytesIn(dir) > before + 100);
  assert.is((await texts(shelf)).length, 103);
  await clock.advance(LOG_SETTINGS.flushMs * 2);
  assert.is(clock.pending(), 0, 'nothing to write, no timer');
});

test('a full disk: the last lines stay in memory, the rest is counted; once there is room they are written', async () => {
  const dir = newFolder();
  const clock = createFakeClock();
  let free = 0;
  const settings = { ...LOG_SETTINGS, pendingBytesMax: KB };
  const shelf = createLogFolder(dir, settings, clock, async () => free);
  shelf.open();
  for (let index = 0; index < 500; index++) shelf.append(line(`line ${index}`));
  await texts(shelf);
  for (let index = 500; index < 1_000; index++) shelf.append(line(`line ${index}`));
  const held = await texts(shelf);
  assert.ok(held.length > 10 && held.length < 100, String(held.length));
  assert.is(held.at(-1), 'line 999');
  assert.is(shelf.counters.linesDropped, 1_000 - held.length);
  assert.equal(filesIn(join(dir, '..')), []);
  free = 1e12;
  await clock.advance(LOG_SETTINGS.flushMs);
  await until(2_000, 'the write', () => bytesIn(join(dir, '..')) > KB);
  assert.equal(await texts(shelf), held);
});

test('a folder that cannot be written: lines stay in memory, in order, and are written once it can', async () => {
  const dir = newFolder();
  mkdirSync(dir);
  writeFileSync(join(dir, 'm'), 'in the way');
  const shelf = openFolder(dir);
  shelf.append(line('first', { level: 'error' }));
  shelf.append(line('second'));
  assert.equal(await texts(shelf), ['first', 'second']);
  rmSync(join(dir, 'm'));
  shelf.append(line('third'));
  assert.equal(await texts(shelf), ['first', 'second', 'third']);
  assert.equal(filesIn(dir), [join(dir, 'm/00000001.jsonl')]);
  rmSync(join(dir, 'm'), { recursive: true });
  shelf.append(line('fourth'));
  assert.equal((await texts(shelf)).at(-1), 'fourth', 'somebody removed them while it runs');
});

test('any order of lines, readers and restarts: each reader sees a run of lines that ends with the last', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(
        fc.oneof(
          {
            weight: 6,
            arbitrary: fc.record({ what: fc.constant('say' as const), length: fc.nat(400) }),
          },
          fc.constant({ what: 'read' as const, length: 0 }),
          fc.constant({ what: 'restart' as const, length: 0 }),
        ),
        { maxLength: 60 },
      ),
      async (acts) => {
        const dir = newFolder();
        const change = { fileBytesMax: 2 * KB, filesMax: 3, pendingBytesMax: KB };
        let shelf = openFolder(dir, change);
        const said: string[] = [];
        for (const { what, length } of [...acts, { what: 'read' as const, length: 0 }]) {
          if (what === 'say') {
            said.push(`${said.length} ${'x'.repeat(length)}`);
            shelf.append(line(said.at(-1) as string));
          } else if (what === 'restart') {
            await shelf.close();
            shelf = openFolder(dir, change);
          } else {
            const read = await texts(shelf);
            assert.equal(read, said.slice(said.length - read.length));
            assert.ok(read.join('').length >= Math.min(said.join('').length, 2 * KB));
          }
        }
        await shelf.close();
        assert.ok(filesIn(join(dir, '..')).length <= 3);
      },
    ),
    { numRuns: 25 },
  );
});

test('a burst is not lost while the first of it is being written', async () => {
  const dir = newFolder();
  const shelf = openFolder(dir, { filesMax: 100 });
  const all = Array.from({ length: 10_000 }, (_, index) => `line ${index}: ${'x'.repeat(80)}`);
  for (const text of all) shelf.append(line(text));
  assert.equal(await texts(shelf), all);
  assert.is(shelf.counters.linesDropped, 0);
  for (const file of filesIn(dir)) {
    assert.ok(statSync(file).size <= LOG_SETTINGS.fileBytesMax, file);
  }
});

test('forget', async () => {
  const dir = newFolder();
  const shelf = openFolder(dir);
  shelf.append(line('here'));
  shelf.append(line('here', { module: 'other' }));
  await texts(shelf);
  await texts(shelf, 'other');
  await shelf.forget('m');
  assert.equal(await texts(shelf), []);
  assert.equal(readdirSync(dir), ['other']);
  shelf.append(line('again'));
  assert.equal(await texts(shelf), ['again']);
});

test.run();
