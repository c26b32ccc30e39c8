/** A symbolic link is judged by what it leads to: for isolet's own files, and for the owner's policy. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { closedBind, type FileBounds } from '../../src/host/start-check.ts';

const test = suite<{ folder: string }>('start check');
test.before((context) => {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'isolet-start-')));
  context.folder = folder;
  for (const name of ['site/in', 'secret', 'own'])
    mkdirSync(join(folder, name), { recursive: true });
  symlinkSync('../secret', join(folder, 'site/out'));
  symlinkSync('in', join(folder, 'site/within'));
  symlinkSync('site', join(folder, 'door'));
  symlinkSync('../own', join(folder, 'site/ours'));
});
test.after(({ folder }) => rmSync(folder, { recursive: true }));

const problem = (source: string, bounds: Partial<FileBounds>, writable = true) =>
  closedBind(
    { source, target: '/data', writable, at: 'HostConfig.Binds[0]' },
    { keepOut: [], allowed: undefined, ...bounds },
  );

test('a link out of what the policy allows is refused, one within it is not', ({ folder }) => {
  const allowed = [{ path: `${folder}/site`, writable: true }];
  for (const name of ['site', 'site/in', 'site/within', 'site/within/later', 'door/in']) {
    assert.is(problem(`${folder}/${name}`, { allowed }), undefined, name);
  }
  for (const name of ['site/out', 'site/out/below', 'door/out', 'secret']) {
    const told = problem(`${folder}/${name}`, { allowed }) ?? '';
    assert.match(told, /^HostConfig\.Binds\[0\]: .*isolet\.policy\.binds/);
    assert.match(told, `does not allow ${folder}/secret`);
  }
});

test('a rule may itself be a link, and reading is not writing', ({ folder }) => {
  const allowed = [{ path: `${folder}/door`, writable: false }];
  assert.is(problem(`${folder}/site/in`, { allowed }, false), undefined);
  assert.match(problem(`${folder}/site/within`, { allowed }) ?? '', 'for reading only');
});

test('our own files are closed by every name, whatever the policy says', ({ folder }) => {
  const keepOut = [`${folder}/own`];
  for (const name of ['own', 'own/keys', 'site/ours', 'door/ours/keys', '']) {
    assert.match(problem(join(folder, name), { keepOut }) ?? '', "isolet's own files", name);
  }
});

test.run();
