import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { zip } from '../../src/lib/zip.ts';
import { filesOfZip } from '../fakes/unzip.ts';

const test = suite('zip');

async function* parts(...texts: readonly (string | Uint8Array)[]): AsyncIterable<Uint8Array> {
  for (const text of texts) yield Buffer.from(text as string);
}

const files: Readonly<Record<string, readonly (string | Uint8Array)[]>> = {
  'empty.txt': [],
  'logs/m_log.txt': Array.from({ length: 3_000 }, (_, index) => `line ${index}\n`),
  'größe.json': ['{"ä":1}'],
  'random.bin': [crypto.getRandomValues(new Uint8Array(60_000))],
};

async function archive(): Promise<Buffer> {
  async function* entries() {
    for (const [name, content] of Object.entries(files)) {
      yield { name, content: parts(...content) };
    }
  }
  const bytes: Uint8Array[] = [];
  for await (const part of zip(entries(), new Date(Date.UTC(2026, 10, 23, 16, 4, 58)))) {
    bytes.push(part);
  }
  return Buffer.concat(bytes);
}

test('what goes in comes out', async () => {
  const read = filesOfZip(await archive());
  assert.equal([...read.keys()], Object.keys(files));
  for (const [name, content] of Object.entries(files)) {
    const whole = Buffer.concat(content.map((part) => Buffer.from(part as string)));
    assert.ok(read.get(name)?.equals(whole), name);
  }
});

test('others read it, too', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'isolet-zip-'));
  try {
    writeFileSync(join(folder, 'a.zip'), await archive());
    try {
      const said = execFileSync('unzip', ['-t', 'a.zip'], { cwd: folder, encoding: 'utf8' });
      assert.match(said, /No errors detected/);
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return; // Not on this machine.
      throw cause;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('nothing at all is an archive, too', async () => {
  async function* none(): AsyncIterable<never> {}
  const bytes: Uint8Array[] = [];
  for await (const part of zip(none(), new Date(0))) bytes.push(part);
  assert.is(filesOfZip(Buffer.concat(bytes)).size, 0);
});

test.run();
