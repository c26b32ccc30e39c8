/** What a module was told is kept is kept, whole, whenever the device is killed. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until, within } from '../fakes/within.ts';
import { bundleSource } from './device.ts';

const test = suite('kept things, killed at any moment');
const WAIT_MS = 30_000;
const LIVES = 5;
/** The longest a life lasts once it has begun to keep things. */
const LIFE_MS = 400;

/** Says what it finds, then keeps ever higher numbers, by two keys at once and in a blob, and says so. */
const KEEPER = `
import { blobs, kv } from 'isolet';
const say = (value) => console.log(JSON.stringify(value));
const [a = 0, b = 0] = [await kv.get('a'), await kv.get('b')];
const text = new TextDecoder().decode((await blobs.get('blob')) ?? new Uint8Array());
const blob = parseInt(text || '0', 10);
say({ found: { a, b, blob, whole: text === '' || text === (blob + ',').repeat(50_000) } });
for (let n = Math.max(a, blob) + 1; ; n++) {
  await kv.transaction((t) => { t.set('a', n); t.set('b', n); });
  say({ kept: n });
  await blobs.put('blob', (n + ',').repeat(50_000));
  say({ blob: n });
}
`;

type Line = {
  readonly kept?: number;
  readonly blob?: number;
  readonly found?: {
    readonly a: number;
    readonly b: number;
    readonly blob: number;
    readonly whole: boolean;
  };
};

async function live(dataDir: string, image: string): Promise<readonly Line[]> {
  const program = join(import.meta.dirname, 'kept-device.ts');
  const child = spawn(process.execPath, [program, dataDir, image], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(child, 'close');
  const lines: Line[] = [];
  createInterface({ input: child.stdout }).on('line', (line) =>
    lines.push(JSON.parse(line) as Line),
  );
  try {
    await until(WAIT_MS, 'a blob', () => lines.some(({ blob }) => blob !== undefined));
    await new Promise((resolve) => setTimeout(resolve, Math.random() * LIFE_MS));
  } finally {
    child.kill('SIGKILL');
    await within(WAIT_MS, 'its end', gone);
  }
  return lines;
}

test('nothing is lost, nothing is half', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'isolet-kept-'));
  const image = await bundleSource('keeper', KEEPER);
  let told = { kept: 0, blob: 0 };
  try {
    for (let life = 0; life < LIVES; life++) {
      const lines = await live(dataDir, image);
      const found = lines[0]?.found;
      assert.ok(found !== undefined, 'it says what it finds');
      const { a, b, blob, whole } = found;
      assert.is(a, b, 'a transaction is whole');
      assert.ok(whole, 'a blob is whole');
      assert.ok(a >= told.kept && blob >= told.blob, JSON.stringify({ found, told }));
      told = lines.reduce(
        (last, one) => ({
          ...last,
          ...(one.kept && { kept: one.kept }),
          ...(one.blob && { blob: one.blob }),
        }),
        told,
      );
    }
    assert.ok(told.kept > LIVES && told.blob > 0, JSON.stringify(told));
  } finally {
    rmSync(dataDir, { recursive: true });
  }
});

test.run();
