/** docs/writing-modules.md, run as a reader would: its files written, its commands run, in the order they stand there. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { build } from '../e2e/programs.ts';
import { until, within } from '../fakes/within.ts';
import { looksLike, type Shell, startShell } from './shell.ts';

const WAIT_MS = 60_000;
const root = join(import.meta.dirname, '../..');
const document = readFileSync(join(root, 'docs/writing-modules.md'), 'utf8');
const BLOCK = /(?:<!-- (file|goes on|typed): (.*?) -->\n)?```(\w+)\n(.*?)```/gs;
const blocks = [...document.matchAll(BLOCK)].map(([, mark, what = '', language, text = '']) => ({
  mark,
  what,
  language,
  text,
}));

/** What a reader has installed. The emulator takes any free port, and what follows finds it in its folder. */
const preamble = `
isolet() {
  [ "$1" = emulator ] && set -- "$@" --port 0
  node ${join(root, 'src/cli/main.ts')} "$@"
}
`;

const test = suite('writing modules');

test('each block is a file, a command or what a command prints', () => {
  for (const { mark, language, text } of blocks) {
    const known = mark === 'file' || language === 'sh' || language === 'text';
    assert.ok(known, `nobody runs ${text}`);
  }
  assert.is(blocks.length, document.split('\n```').length / 2 - 0.5);
});

test('from nothing to a module that runs on a device', async () => {
  build();
  const folder = mkdtempSync(join(tmpdir(), 'isolet-writing-'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  const shells: Shell[] = [];
  try {
    for (const { mark, what, language, text } of blocks) {
      const last = shells.at(-1);
      if (mark === 'file') {
        mkdirSync(dirname(join(folder, what)), { recursive: true });
        writeFileSync(join(folder, what), text);
      } else if (mark === 'typed') {
        last?.type(text);
        await until(WAIT_MS, `${what} after ${text}`, () => last?.out().includes(what));
      } else if (language === 'sh') {
        const shell = startShell(`${preamble}\n${text}`, folder);
        shells.push(shell);
        if (mark === undefined) await within(WAIT_MS, `${text} (${shell.out()})`, shell.ended);
        else await until(WAIT_MS, `${what} of ${text}`, () => shell.out().includes(what));
      } else {
        const printed = last?.out().replace(/localhost:\d+/g, 'localhost:8883') ?? '';
        assert.ok(looksLike(printed, text), `printed\n${printed}\ninstead of\n${text}`);
      }
    }
  } finally {
    for (const shell of shells) shell.stop();
    await within(WAIT_MS, 'the end', Promise.all(shells.map(({ ended }) => ended)));
    rmSync(folder, { recursive: true, force: true });
  }
});

test.run();
