/** Who the hub lets in, as the unmodified SDK's clients meet it: keys, authorities, certificates. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { within } from '../../fakes/within.ts';
import { newAuthority, selfSigned, type TestCertificate } from '../certificates.ts';
import {
  Message,
  openTarget,
  PATIENCE_MS,
  rejection,
  type Target,
  type Transport,
} from './target.ts';

const test = suite<{ target: Target }>('credentials');
test.before(async (context) => {
  context.target = await openTarget();
});
test.after.each(async ({ target }) => await target.closeClients());
test.after(async ({ target }) => await target.close());

const x509Device = (certificate: TestCertificate): object => ({
  type: 'selfSigned',
  x509Thumbprint: {
    primaryThumbprint: certificate.thumbprint,
    secondaryThumbprint: certificate.thumbprint,
  },
});

async function sendsWith(
  target: Target,
  login: string,
  transport: Transport,
  certificate: TestCertificate,
): Promise<void> {
  const { cert, key } = certificate;
  const client = await target.client(login, transport, { cert, key });
  await within(PATIENCE_MS, 'open', client.open());
  await within(PATIENCE_MS, 'send', client.sendEvent(new Message('by certificate')));
  await client.close();
}

test('a wrong key, an unknown device, a disabled one: Unauthorized, told from a network that is away', async ({
  target,
}) => {
  const { id, login } = await target.newDevice();
  const wrongKey = login.replace(/SharedAccessKey=.*/, `SharedAccessKey=${'A'.repeat(43)}=`);
  for (const each of [wrongKey, login.replace(id, `${id}-nobody`)]) {
    const client = await target.client(each, 'tcp');
    const error = await rejection(client.open());
    assert.is(error.name, 'UnauthorizedError');
    assert.match(error.message, /Connection refused: Not authorized/);
  }
  await target.registry.update({ deviceId: id, status: 'disabled' } as never);
  const client = await target.client(login, 'tcp');
  assert.match((await rejection(client.open())).message, /Connection refused: Not authorized/);
});

test('a client that trusts another authority does not connect', async ({ target }) => {
  const { login } = await target.newDevice();
  const { cert } = await newAuthority('another');
  for (const transport of ['tcp', 'websockets'] as const) {
    const client = await target.client(login, transport, { ca: cert });
    assert.match((await rejection(client.open())).message, /certificate|issuer/i);
  }
});

test('a device opens with the certificate whose thumbprint it has, and with no other', async ({
  target,
}) => {
  const [own, other] = [await selfSigned('by-thumbprint'), await selfSigned('by-thumbprint')];
  const { login } = await target.newDevice(x509Device(own));
  await sendsWith(target, login, 'tcp', own);
  await sendsWith(target, login, 'websockets', own);
  const client = await target.client(login, 'tcp', { cert: other.cert, key: other.key });
  assert.match((await rejection(client.open())).message, /Not authorized/);
});

test('a device opens with a certificate of an authority the hub trusts, in its own name', async ({
  target,
}) => {
  const root = await newAuthority('isolet test root');
  if (!target.trust('root', root.cert)) {
    console.log('skipped: needs the emulator: a hub in Azure takes authorities through its portal');
    return;
  }
  const between = await newAuthority('isolet test intermediate', root);
  const { id, login } = await target.newDevice({ type: 'certificateAuthority' });
  await sendsWith(target, login, 'tcp', await root.issue(id));
  await sendsWith(target, login, 'websockets', await between.issue(id));
  const stranger = await newAuthority('isolet test root');
  const day = { fromDays: -2, toDays: -1 };
  for (const [certificate, why] of [
    [await root.issue('another-name'), 'the name'],
    [await root.issue(id, day), 'the time'],
    [await stranger.issue(id), 'the authority'],
    [await selfSigned(id), 'nobody issued it'],
  ] as const) {
    const { cert, key } = certificate;
    const client = await target.client(login, 'tcp', { cert, key });
    assert.match((await rejection(client.open())).message, /Not authorized/, why);
  }
});

test.run();
