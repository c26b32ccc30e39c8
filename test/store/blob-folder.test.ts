/** Blobs in files: whole or not there, each module's its own, and what a kill leaves is swept. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createBlobMap } from '../../src/core/blob-map.ts';
import type { BlobShelf } from '../../src/core/blobs.ts';
import type { Fault } from '../../src/core/fault.ts';
import { toBase64 } from '../../src/lib/base64.ts';
import { createBlobFolder } from '../../src/store/blob-folder.ts';
import { createBlobKeeper } from '../../src/supervisor/blob-keeper.ts';
import { within } from '../fakes/within.ts';

const test = suite<{ dir: string }>('blobs');
const WAIT_MS = 10_000;

test.before.each((context) => {
  context.dir = mkdtempSync(join(tmpdir(), 'isolet-blobs-'));
});
test.after.each(({ dir }) => rmSync(dir, { recursive: true }));

async function put(shelf: BlobShelf, module: string, name: string, text: string): Promise<void> {
  const upload = await shelf.begin(module);
  await upload.append(Buffer.from(text));
  await upload.commit(name);
}

async function text(shelf: BlobShelf, module: string, name: string): Promise<string | undefined> {
  const found = await shelf.look(module, name);
  const bytes = found && (await shelf.read(module, name, found.version, 0, 1_000));
  return bytes && Buffer.from(bytes).toString();
}

const kinds: Readonly<Record<string, (dir: string) => BlobShelf>> = {
  files: (dir) => createBlobFolder(join(dir, 'blobs'), 0),
  memory: () => createBlobMap(Date.now),
};

for (const [kind, make] of Object.entries(kinds)) {
  test(`${kind}: a blob is the old one or the new one, and nobody else's`, async ({ dir }) => {
    const shelf = make(dir);
    assert.equal(await shelf.modules(), []);
    for (const name of ['a', '../../a', 'ö/☃', '.', 'x'.repeat(128)]) {
      await put(shelf, 'one', name, name);
      assert.is(await text(shelf, 'one', name), name);
    }
    await put(shelf, '..', 'a', 'dots');
    await put(shelf, '.', 'a', 'dot');
    assert.equal((await shelf.list('one')).map(({ name }) => name).sort(), [
      '.',
      '../../a',
      'a',
      'x'.repeat(128),
      'ö/☃',
    ]);
    assert.equal(
      [await text(shelf, '..', 'a'), await text(shelf, '.', 'a'), await text(shelf, 'two', 'a')],
      ['dots', 'dot', undefined],
    );
    assert.equal([...(await shelf.modules())].sort(), ['.', '..', 'one']);
    const before = await shelf.look('one', 'a');
    const upload = await shelf.begin('one');
    await upload.append(Buffer.from('new'));
    assert.is(await text(shelf, 'one', 'a'), 'a');
    await upload.commit('a');
    assert.is(await text(shelf, 'one', 'a'), 'new');
    assert.is(await shelf.read('one', 'a', before?.version ?? '', 0, 9), undefined);
    const other = await shelf.begin('one');
    await other.append(Buffer.from('torn'));
    await other.abort();
    await shelf.remove('one', 'a');
    await shelf.remove('one', 'a');
    assert.is(await text(shelf, 'one', 'a'), undefined);
    await shelf.forget('one');
    assert.equal(await shelf.list('one'), []);
    assert.is(await text(shelf, '..', 'a'), 'dots');
  });
}

test('what a kill left is no blob, and is gone with the next one', async ({ dir }) => {
  const folder = join(dir, 'blobs');
  await put(createBlobFolder(folder, 0), 'm', 'a', 'kept');
  const [module = ''] = readdirSync(folder);
  writeFileSync(join(folder, module, '.upload-1'), 'half');
  const shelf = createBlobFolder(folder, 0);
  assert.equal(
    (await shelf.list('m')).map(({ name }) => name),
    ['a'],
  );
  await put(shelf, 'm', 'b', 'new');
  assert.is(readdirSync(join(folder, module)).length, 2);
  assert.is(await text(shelf, 'm', 'a'), 'kept');
});

const codeOf = (asked: Promise<unknown>): Promise<unknown> =>
  within(WAIT_MS, 'an answer', asked).then(
    (value) => value,
    (cause: Fault) => cause.code,
  );

test('a disk that is nearly full takes none', async ({ dir }) => {
  const upload = await createBlobFolder(dir, Number.MAX_SAFE_INTEGER / 2).begin('m');
  assert.is(await codeOf(upload.append(Buffer.from('x'))), 'DISK_FULL');
  await upload.abort();
  assert.is(
    await codeOf(createBlobFolder(join(dir, 'none/\0'), 0).begin('m')),
    'DATA_FOLDER_UNUSABLE',
  );
});

test('bytes and number are limited; what is replaced, deleted or torn makes room', async ({
  dir,
}) => {
  const keeper = createBlobKeeper(createBlobFolder(dir, 0));
  const limits = { blobBytesMax: 100, blobCountMax: 2 };
  const ask = (one: Parameters<typeof keeper.carryOut>[1]) =>
    codeOf(keeper.carryOut('m', one, limits));
  const write = async (name: string, length: number): Promise<unknown> => {
    const upload = (await ask({ what: 'begin' })) as number;
    const base64 = toBase64(new Uint8Array(length));
    const told =
      (await ask({ what: 'append', upload, base64 })) ??
      (await ask({ what: 'commit', upload, name }));
    if (told !== null) await ask({ what: 'abort', upload });
    return told;
  };
  assert.is(await write('a', 60), null);
  assert.is(await write('b', 60), 'KEPT_FULL');
  assert.is(await write('b', 40), null);
  assert.is(await write('c', 0), 'KEPT_FULL');
  assert.is(await write('a', 60), 'KEPT_FULL');
  assert.is(keeper.bytes('m'), 100);
  assert.is(await ask({ what: 'delete', name: 'b' }), true);
  assert.is(await write('a', 40), null);
  assert.is(keeper.bytes('m'), 40);
  assert.is(await ask({ what: 'append', upload: 99, base64: '' }), 'REQUEST_INVALID');
  const upload = (await ask({ what: 'begin' })) as number;
  assert.is(await ask({ what: 'append', upload, base64: 'no base64' }), 'REQUEST_INVALID');
  assert.is(await ask({ what: 'append', upload, base64: toBase64(new Uint8Array(60)) }), null);
  for (let more = 0; more < 7; more++) assert.type(await ask({ what: 'begin' }), 'number');
  assert.is(await ask({ what: 'begin' }), 'TOO_MANY_REQUESTS');
  // Of several modules at the same time each has its own.
  const begun = ['x', 'y', 'z'].map((module) => keeper.carryOut(module, { what: 'begin' }, {}));
  assert.is(new Set(await within(WAIT_MS, 'numbers', Promise.all(begun))).size, 3);
  keeper.release('m');
  assert.is(await write('b', 60), null);
  // Another life of the supervisor counts the same.
  const next = createBlobKeeper(createBlobFolder(dir, 0));
  await next.open();
  assert.is(next.bytes('m'), 100);
  await next.forget('m');
  assert.equal([next.bytes('m'), readdirSync(dir)], [0, ['x', 'y', 'z']]);
});

test.run();
