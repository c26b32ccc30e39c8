/** Bundles from servers whose certificates are by an authority of one's own, as `trust_bundle_cert` names it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { digestOf } from '../../src/artifacts/bundle-archive.ts';
import { createBundles } from '../../src/artifacts/bundles.ts';
import type { Bundles } from '../../src/core/ports.ts';
import { ensureCertificate } from '../../src/emulator/certificate.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { createFakeLog } from '../fakes/log.ts';
import { got, make, refused } from '../fakes/pushed-bundles.ts';

const test = suite('own authority');

test('a web server is believed with it, and not without', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'isolet-authority-'));
  const log = createFakeLog();
  const made = await ensureCertificate(dir, ['localhost'], systemClock, log);
  const bytes = make('1.0.0');
  const tls = { key: made.keyPem, cert: made.certificatePem };
  const server = createServer(tls, (_, response) => response.end(bytes));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const image = `https://localhost:${port}/a.tgz#${digestOf(bytes).replace(':', '=')}`;
  const bundles = (more: { readonly ca?: string }): Bundles =>
    createBundles({ dir: join(dir, 'device'), log, ...more });
  assert.match(await refused('DOWNLOAD_FAILED', bundles({}).fetch(image)), /certificate/i);
  const ca = readFileSync(made.caFile, 'utf8');
  assert.is((await got(bundles({ ca }).fetch(image))).version, '1.0.0');
  server.closeAllConnections();
  server.close();
  rmSync(dir, { recursive: true });
});

test.run();
