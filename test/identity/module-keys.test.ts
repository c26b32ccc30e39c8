/** Keys from one secret: the same over restarts, different for everything else, safe against damage. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Fault } from '../../src/core/fault.ts';
import { type ModuleKeys, openModuleKeys } from '../../src/identity/module-keys.ts';
import { createFakeLog } from '../fakes/log.ts';

const test = suite<{ dataDir: string }>('module keys');
test.before.each((context) => {
  context.dataDir = mkdtempSync(join(tmpdir(), 'isolet-keys-'));
});
test.after.each(({ dataDir }) => rmSync(dataDir, { recursive: true, force: true }));

const log = createFakeLog();
const open = (dataDir: string, hostName = 'hub'): ModuleKeys =>
  openModuleKeys({ dataDir, hostName, deviceId: 'board', log });

test('what is remembered survives a restart, and only for this hub', ({ dataDir }) => {
  const keys = open(dataDir);
  assert.is(keys.remembered('sensor'), undefined);
  keys.remember('sensor', '1');
  keys.remember('__proto__', '2');
  const after = open(dataDir);
  assert.equal(after.remembered('sensor'), keys.derive('sensor', '1'));
  assert.is(after.remembered('__proto__')?.generationId, '2');
  assert.is(open(dataDir, 'other').remembered('sensor'), undefined);
  after.forget('sensor');
  assert.is(open(dataDir).remembered('sensor'), undefined);
});

test('every module and every generation has its own key of 32 bytes', ({ dataDir }) => {
  const keys = open(dataDir);
  const all = [keys.derive('a', '1'), keys.derive('a', '2'), keys.derive('b', '1')];
  assert.is(new Set(all.map(({ key }) => key)).size, 3);
  for (const { key } of all) assert.is(Buffer.from(key, 'base64').byteLength, 32);
});

test('both files are for their owner only, and the secret is made once', ({ dataDir }) => {
  open(dataDir).remember('sensor', '1');
  const secret = readFileSync(join(dataDir, 'identity.key'));
  assert.is(secret.byteLength, 32);
  open(dataDir);
  assert.equal(readFileSync(join(dataDir, 'identity.key')), secret);
  for (const file of ['identity.key', 'identities.json']) {
    assert.is(statSync(join(dataDir, file)).mode & 0o777, 0o600, file);
  }
});

test('damaged files are replaced, not trusted', ({ dataDir }) => {
  const before = open(dataDir).derive('a', '1').key;
  writeFileSync(join(dataDir, 'identity.key'), 'short');
  writeFileSync(join(dataDir, 'identities.json'), '{"scope":"hub/board","gener');
  const keys = open(dataDir);
  assert.is.not(keys.derive('a', '1').key, before);
  assert.is(keys.remembered('a'), undefined);
});

test('a folder that cannot hold a secret is a fault of the operator', ({ dataDir }) => {
  let fault: Fault | undefined;
  try {
    open(join(dataDir, 'absent'));
  } catch (cause) {
    fault = cause as Fault;
  }
  assert.is(fault?.code, 'DATA_FOLDER_UNUSABLE');
});

test('a full disk costs the memory over restarts, nothing else', ({ dataDir }) => {
  const keys = open(dataDir);
  rmSync(dataDir, { recursive: true });
  keys.remember('a', '1');
  assert.is(keys.remembered('a')?.generationId, '1');
  assert.ok(log.entries.some(({ level }) => level === 'warn'));
});

test.run();
