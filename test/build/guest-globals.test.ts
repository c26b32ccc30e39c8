/** Globals that come with the bundles that name them, and with no others. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { bundleModule } from '../../build/bundle.ts';
import { unpackBundle } from '../../src/artifacts/bundle-archive.ts';

const test = suite<{ folder: string }>('guest globals');
test.before.each((context) => {
  context.folder = mkdtempSync(join(tmpdir(), 'isolet-globals-'));
  writeFileSync(join(context.folder, 'package.json'), '{"name":"m","version":"1.0.0"}');
});
test.after.each(({ folder }) => rmSync(folder, { recursive: true }));

async function codeOf(folder: string, source: string): Promise<string> {
  writeFileSync(join(folder, 'main.js'), source);
  const { file } = await bundleModule(folder, { outDir: join(folder, 'out') });
  return (await unpackBundle(readFileSync(file))).code;
}

test('whoever names none has none', async ({ folder }) => {
  const code = await codeOf(folder, 'const prefetch = 1; console.log(prefetch); // fetch');
  assert.not.match(code, 'installGlobals');
  assert.ok(code.length < 300, `${code.length}`);
});

test('whoever names one has its file, and may replace it', async ({ folder }) => {
  const sources = [
    'globalThis.fetch ??= 1;',
    'await fetch("http://a")',
    'const { Headers } = globalThis; console.log(Headers);',
  ];
  for (const source of sources) {
    const code = await codeOf(folder, source);
    assert.match(code, 'isolet:src/guest/web/install-fetch.ts');
    assert.not.match(code, 'install-performance.ts');
    assert.ok(code.indexOf('install-fetch') < code.indexOf('// main.js'), 'before any of its code');
  }
  const abort = await codeOf(folder, 'console.log(new AbortController());');
  assert.not.match(abort, 'install-fetch.ts');
  assert.ok(abort.length < 21_000, `${abort.length}`);
});

test.run();
