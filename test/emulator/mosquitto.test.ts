/** The recipes of docs/emulator.md, run as they are printed there. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readSeed } from '../../src/emulator/seed.ts';
import { within } from '../fakes/within.ts';
import { startHub } from './hub-kit.ts';

const docs = join(import.meta.dirname, '../../docs');
const text = readFileSync(join(docs, 'emulator.md'), 'utf8');
const blocks = [
  ...text.matchAll(/<!-- recipe(: preamble)? -->\n```bash\n(.*?)```\n(?:```text\n(.*?)```)?/gs),
].map(([, preamble, commands, printed]) => ({
  preamble: preamble !== undefined,
  commands: commands as string,
  printed,
}));

const test = suite('mosquitto recipes');

test('there are recipes, and all but the first say what they print', () => {
  assert.ok(blocks.length >= 8, `${blocks.length} blocks`);
  assert.equal(
    blocks.map(({ preamble, printed }) => preamble === (printed === undefined)),
    blocks.map(() => true),
  );
  assert.ok(blocks[0]?.preamble);
});

test('they work as printed', async () => {
  for (const [program, ...words] of [
    ['mosquitto_pub', '--help'],
    ['curl', '--version'],
    ['openssl', 'version'],
  ] as const) {
    if (spawnSync(program, words).error !== undefined) {
      console.log(`skipped: needs ${program.replace(/^mosquitto.*/, 'mosquitto-clients')}`);
      return;
    }
  }
  const hub = await startHub({ seed: readSeed(join(docs, 'examples/hub.json')) });
  const [preamble, ...recipes] = blocks;
  for (const { commands, printed } of recipes) {
    const { out, err } = await within(
      30_000,
      commands,
      bash(`${preamble?.commands}\n${commands}`, {
        PORT: String(hub.port),
        CA: hub.caFile,
        cwd: hub.dataDir,
      }),
    );
    assert.ok(
      looksLike(out, printed as string),
      `${commands}\nprinted\n${out}${err}\ninstead of\n${printed}`,
    );
  }
  await hub.forget();
});

type Surroundings = { readonly PORT: string; readonly CA: string; readonly cwd: string };

function bash(
  script: string,
  { cwd, ...env }: Surroundings,
): Promise<{ readonly out: string; readonly err: string }> {
  return new Promise((resolve) => {
    const child = spawn('bash', ['-c', script], { cwd, env: { ...process.env, ...env } });
    const told = { out: '', err: '' };
    child.stdout.on('data', (chunk: Buffer) => (told.out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (told.err += chunk.toString()));
    child.on('close', () => resolve(told));
  });
}

/** The same lines in any order (two processes print them), where `…` stands for anything. */
function looksLike(out: string, printed: string): boolean {
  const [found, wanted] = [out, printed].map((each) => each.trim().split('\n'));
  const patterns = (wanted as string[]).map(
    (line) => new RegExp(`^${line.split('…').map(literal).join('.*')}$`),
  );
  return (
    found?.length === patterns.length &&
    patterns.every((pattern) => found.some((line) => pattern.test(line)))
  );
}

const literal = (part: string): string => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');

test.run();
