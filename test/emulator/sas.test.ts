/** Tokens: read in any order, signed text taken literally, resources matched by segment. */
import { createHmac } from 'node:crypto';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { covers, parseSas, type SasToken, signedBy } from '../../src/emulator/sas.ts';
import { createSas } from './hub-kit.ts';

const test = suite('shared access signatures');
const key = Buffer.from('0123456789abcdef0123456789abcdef').toString('base64');
const path = ['devices', 'D1', 'modules', 'filter mod'];

const parsed = (text: string): SasToken => {
  const token = parseSas(text);
  if (token === undefined) throw new Error('no token');
  return token;
};

test('a well-made token is accepted, with the right key only', () => {
  const token = parsed(createSas('hub/devices/D1/modules/filter mod', key, 5_000, 'device'));
  assert.is(token.expiresAtMs, 5_000);
  assert.is(token.policy, 'device');
  assert.ok(signedBy(token, ['', 'AAAA', key]));
  assert.not.ok(signedBy(token, ['', 'AAAA']));
});

test('the literal resource is signed, and lower-case percent signs change nothing', () => {
  const raw = createHmac('sha256', Buffer.from(key, 'base64'))
    .update('hub/devices/d1\n99')
    .digest();
  const sig = encodeURIComponent(raw.toString('base64')).replaceAll('%2B', '%2b');
  assert.ok(signedBy(parsed(`SharedAccessSignature se=99&sr=hub/devices/d1&sig=${sig}`), [key]));
  assert.not.ok(
    signedBy(parsed(`SharedAccessSignature se=99&sr=hub%2Fdevices%2Fd1&sig=${sig}`), [key]),
  );
});

test('a resource opens what lies at it or below it, on segment borders, in any case', () => {
  const opens = (resource: string): boolean =>
    covers(parsed(createSas(resource, key, 1)), ['hub', 'localhost'], path);
  for (const resource of [
    'hub',
    'HUB:8883',
    'localhost:1/devices',
    'hub/devices/d1',
    'hub/devices/d1/modules/filter mod',
  ]) {
    assert.ok(opens(resource), resource);
  }
  for (const resource of [
    'other',
    'hub/devices/d',
    'hub/devices/d12',
    'hub/devices/d1/modules/other',
    'hub/devices/d1/modules/filter mod/more',
    'hub/registrations',
  ]) {
    assert.not.ok(opens(resource), resource);
  }
});

test('what is no token', () => {
  for (const text of [
    '',
    'Bearer x',
    'SharedAccessSignature ',
    'SharedAccessSignature sr=hub&sig=x',
    'SharedAccessSignature sr=hub&sig=x&se=soon',
  ]) {
    assert.is(parseSas(text), undefined, text);
  }
});

test.run();
