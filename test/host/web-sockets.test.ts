/** WebSockets of a module in a real host process, with the rights it has there: by name, and over TLS. */
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { WebSocketServer } from 'ws';
import type { Grants } from '../../src/core/ports.ts';
import { ensureCertificate } from '../../src/emulator/certificate.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { createNetworkHost, granted, runIn } from './network-kit.ts';

const test = suite('web sockets of a host');

/** Sends one message and tells what comes, or what went wrong. */
const echoing = (url: string): string => `return new Promise((resolve, reject) => {
  const socket = new WebSocket(${JSON.stringify(url)});
  socket.onopen = () => socket.send('there and back');
  socket.onerror = ({ error }) => reject(error);
  socket.onmessage = ({ data }) => {
    socket.onclose = ({ code }) => resolve([data, code]);
    socket.close(1000);
  };
});`;

test('TLS: a certificate counts for its name, and only with an authority the module trusts', async () => {
  const host = await createNetworkHost();
  const folder = mkdtempSync(join(tmpdir(), 'isolet-tls-'));
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const made = await ensureCertificate(folder, ['good.test'], systemClock, quiet);
  const server = createSecureServer({ key: made.keyPem, cert: made.certificatePem });
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => {
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const grants: Grants = {
    ...granted(`good.test:${port}, bad.test:${port}, 127.0.0.1:${port}`, {
      ExtraHosts: ['good.test:127.0.0.1', 'bad.test:127.0.0.1'],
    }),
    binds: [{ source: folder, target: '/certificates', writable: false }],
  };
  const env = { NODE_EXTRA_CA_CERTS: '/certificates/ca.pem' };
  const good = echoing(`wss://good.test:${port}/`);
  assert.equal((await runIn(host, grants, good, env)).value, ['there and back', 1000]);
  const stranger = await runIn(host, grants, good);
  assert.match(stranger.error as string, /nobody this module trusts/);
  const other = await runIn(host, grants, echoing(`https://bad.test:${port}/`), env);
  assert.is(other.code, 'ERR_TLS_CERT_ALTNAME_INVALID');
  const beside = await runIn(host, grants, echoing(`wss://good.test:${port + 1}/`), env);
  assert.is(beside.code, 'EACCES');
  for (const client of sockets.clients) client.terminate();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await host.stop();
  rmSync(folder, { recursive: true });
});

test.run();
