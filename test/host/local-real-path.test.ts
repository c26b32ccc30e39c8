/** Links are resolved as the kernel does it, but never into a mount that may not answer. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { localRealPath, remoteMounts } from '../../src/host/local-real-path.ts';

const test = suite<{ folder: string }>('local real path');
test.before((context) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'isolet-real-')));
  context.folder = folder;
  mkdirSync(join(folder, 'a/b'), { recursive: true });
  writeFileSync(join(folder, 'a/b/file'), '');
  symlinkSync('a/b', join(folder, 'down'));
  symlinkSync('../../down/file', join(folder, 'a/b/round'));
  symlinkSync(join(folder, 'a'), join(folder, 'a/b/up'));
  symlinkSync('loop', join(folder, 'loop'));
});
test.after(({ folder }) => rmSync(folder, { recursive: true }));

test('links lead where the kernel says they lead', ({ folder }) => {
  const names = ['', 'a', 'down', 'down/file', 'down/round', 'a/b/up/b/up/b/round', 'down/../b'];
  for (const name of names) {
    const path = `${folder}/${name}`;
    assert.is(localRealPath(path, []), realpathSync.native(path), name);
  }
  assert.is(localRealPath(`${folder}/down/absent/x`, []), join(folder, 'a/b/absent/x'));
  assert.is(localRealPath(`${folder}/loop/x`, []), `${folder}/loop/x`);
  assert.is(localRealPath('/', []), '/');
});

test('nothing is asked of a remote mount', ({ folder }) => {
  const remote = [join(folder, 'a/b')];
  assert.is(localRealPath(`${folder}/down/round`, remote), join(folder, 'a/b/round'));
  assert.is(localRealPath(`${folder}/a/b/up/x`, remote), join(folder, 'a/b/up/x'));
});

test('remote mounts are known by their kind', () => {
  const mountinfo = [
    '22 1 8:1 / / rw,relatime shared:1 - 9p root rw',
    '36 22 98:0 / /mnt/my\\040share rw shared:1 master:2 - nfs4 server:/x rw',
    '37 22 98:0 / /media/stick rw - ext4 /dev/sda1 rw',
    '38 22 98:0 / /mnt/win rw - cifs //server/x rw',
    '',
  ].join('\n');
  assert.equal(remoteMounts(mountinfo), ['/mnt/my share', '/mnt/win']);
});

test.run();
