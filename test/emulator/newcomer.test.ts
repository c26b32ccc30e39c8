/** The newcomer's path in the README: its commands as they stand there, with what they print. */
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { looksLike, type Shell, startShell } from '../docs/shell.ts';
import { until, within } from '../fakes/within.ts';

const root = join(import.meta.dirname, '../..');
const steps = [
  ...readFileSync(join(root, 'README.md'), 'utf8').matchAll(
    /<!-- newcomer -->\n +```sh\n(.*?)```\n\n +```text\n(.*?)```/gs,
  ),
].map(([, commands, printed]) => ({
  commands: (commands as string).replace(/^ {3}/gm, ''),
  printed: (printed as string).replace(/^ {3}/gm, ''),
}));

const test = suite('newcomer');

test('five commands, each with its output', async () => {
  assert.is(steps.length, 5);
  const folder = mkdtempSync(join(tmpdir(), 'isolet-newcomer-'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const running: Shell[] = [];
  let port = '';
  try {
    for (const { commands } of steps) {
      const step = startShell(`${preamble}\n${commands}`, folder);
      running.push(step);
      // The hub and the watcher go on: the next command is for when they are there.
      if (running.length === 1) {
        await until(20_000, 'the hub', () => step.out().includes('There are no devices'));
        port = /localhost:(\d+)/.exec(step.out())?.[1] as string;
      } else if (running.length === 3) {
        await until(20_000, 'the watcher', () => step.out().includes('Watching'));
      } else await within(30_000, commands, step.ended);
    }
    const watcher = running[2];
    await until(20_000, 'the event', () => watcher?.out().includes('21.5 degrees'));
  } finally {
    for (const step of running) step.stop();
    await within(20_000, 'the end', Promise.all(running.map((step) => step.ended)));
    rmSync(folder, { recursive: true, force: true });
  }
  for (const [index, { commands, printed }] of steps.entries()) {
    const out = running[index]?.out() ?? '';
    const wanted = printed.replaceAll('8883', port);
    assert.ok(looksLike(out, wanted), `${commands}\nprinted\n${out}\ninstead of\n${wanted}`);
  }
});

/** What npm would run, here: from another folder, and on any free port. */
const preamble = `
npm() {
  shift 4
  [ "$1" = emulator ] && set -- "$@" --port 0
  node ${join(root, 'src/cli/main.ts')} "$@"
}
`;

test.run();
