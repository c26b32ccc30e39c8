import { readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until, within } from '../fakes/within.ts';
import { build, newFolder, start } from './programs.ts';

const test = suite('the demo');

test.before(build);

function childrenOf(pid: number): number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/** The supervisor is the child of the demo that has a child itself: the module host. */
function findHost(demo: number): { supervisor: number; host: number } | undefined {
  for (const child of childrenOf(demo)) {
    const [host] = childrenOf(child);
    if (host !== undefined) return { supervisor: child, host };
  }
  return undefined;
}

test('shows the main job end to end, with its host killed on the way, and says so', async () => {
  const demo = start('isolet', [
    'demo',
    '--data',
    newFolder(),
    '--port',
    '0',
    '--seconds',
    '16',
    '--json',
  ]);
  await until(30_000, 'an event', () => demo.lines.some((line) => line.includes('"event"')));
  const found = await until(5_000, 'a module host', () => findHost(demo.child.pid as number));
  process.kill(found.host, 'SIGKILL');
  const killedAt = performance.now();
  await until(5_000, 'a new host', () => {
    const now = findHost(demo.child.pid as number);
    return now !== undefined && now.host !== found.host;
  });
  assert.ok(performance.now() - killedAt < 1_000, 'a new host within a second');
  assert.is(await within(40_000, 'the end', demo.ended), 0, demo.errors());
  const { summary } = JSON.parse(demo.lines.at(-1) as string) as {
    summary: Record<string, unknown>;
  };
  assert.is(summary['modules'], 3);
  const received = summary['received'] as Record<string, number>;
  assert.ok((received['temperature-filter'] as number) > 5, JSON.stringify(summary));
  assert.ok((received['system-monitor'] as number) > 2);
  for (const field of ['firstMessageMs', 'supervisorPssMb', 'hostPssMb']) {
    assert.type(summary[field], 'number', field);
  }
  for (const line of demo.lines) JSON.parse(line);
});

test('goes on from its data folder, and Ctrl-C ends it in order', async () => {
  const data = newFolder();
  for (const round of [1, 2]) {
    const demo = start('isolet', ['demo', '--data', data, '--port', '0', '--json']);
    await until(25_000, `round ${round}`, () =>
      demo.lines.some((line) => line.includes('"event"')),
    );
    const found = findHost(demo.child.pid as number);
    demo.child.kill('SIGINT');
    assert.is(await within(20_000, 'the end', demo.ended), 0, demo.errors());
    assert.ok(demo.lines.at(-1)?.startsWith('{"summary"'));
    for (const pid of Object.values(found ?? {})) {
      assert.throws(() => process.kill(pid, 0), /ESRCH/);
    }
  }
});

/** One sentence, the thing and the remedy, exit code 1, no stack. */
async function fails(argv: readonly string[], words: RegExp): Promise<void> {
  const demo = start('isolet', ['demo', ...argv]);
  assert.is(await within(30_000, 'the end', demo.ended), 1);
  assert.match(demo.errors(), words);
  assert.not.match(demo.errors(), /\n\s+at /);
  assert.is(demo.errors().trim().split('\n').length, 1, demo.errors());
}

test('a port that is taken, a folder that cannot be written, a data file that is damaged', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await fails(['--data', newFolder(), '--port', String(port)], new RegExp(`${port}.*--port`));
  server.close();

  const folder = newFolder();
  writeFileSync(join(folder, 'file'), '');
  await fails(['--data', join(folder, 'file/below'), '--port', '0'], /cannot be written.*--data/);

  const broken = newFolder();
  const first = start('isolet', ['demo', '--data', broken, '--port', '0', '--seconds', '2']);
  await within(30_000, 'a first run', first.ended);
  writeFileSync(join(broken, 'hub/hub.sqlite'), 'this is no database at all');
  await fails(['--data', broken, '--port', '0'], /hub\.sqlite is damaged.*--data/);
});

test('a mistake in an option is a sentence', async () => {
  await fails(['--seconds', 'ten'], /--seconds must be a whole number/);
  await fails(['--sceonds', '10'], /--sceonds/);
});

test.run();
