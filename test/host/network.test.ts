/** The network of modules in a real host: what was granted works, and each thing beside it is refused. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createSecureServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readCreateOptions } from '../../src/core/create-options.ts';
import { type Grants, type ModuleHost, noGrants } from '../../src/core/ports.ts';
import { ensureCertificate } from '../../src/emulator/certificate.ts';
import { covers, permissionFlags } from '../../src/host/host-permissions.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { until } from '../fakes/within.ts';
import {
  createNetworkHost,
  fetching,
  granted,
  type Outcome,
  runIn,
  serve,
  type TestServer,
} from './network-kit.ts';

type Context = { host: ModuleHost; server: TestServer };

const test = suite<Context>('network');
test.before(async (context) => {
  context.host = await createNetworkHost();
  context.server = await serve();
});
test.after(async ({ host, server }) => {
  await host.stop();
  await server.close();
});

function isRefused(outcome: Outcome, ...parts: readonly (string | RegExp)[]): void {
  assert.is(outcome.code, 'EACCES', JSON.stringify(outcome));
  for (const part of parts) assert.match(outcome.error as string, part);
}

test('the granted host and port can be used, and nothing beside it', async ({ host, server }) => {
  const place = `127.0.0.1:${server.port}`;
  const grants = granted(place);
  const url = `http://${place}/`;
  assert.equal((await runIn(host, grants, fetching(url))).value, [200, 'hello']);
  const other = await serve();
  const cases = [
    `http://127.0.0.1:${other.port}/`,
    `http://127.0.0.2:${server.port}/`,
    `http://[::1]:${server.port}/`,
    `http://[::ffff:127.0.0.1]:${server.port}/`,
    `http://0.0.0.0:${server.port}/`,
    `http://example.com:${server.port}/`,
  ];
  const tried = server.seen.length;
  const code = `const told = [];
    for (const url of ${JSON.stringify(cases)}) {
      told.push(await fetch(url).then(() => 'reached', (error) => error.code + ' ' + error.message));
    }
    return told;`;
  const outcome = await runIn(host, grants, code);
  for (const [index, text] of (outcome.value as string[]).entries()) {
    assert.match(text, /^EACCES EACCES: module probe\d+ may not reach /, cases[index] as string);
    assert.match(text, `it is granted ${place}.`);
    assert.match(text, 'to the label "isolet.network" in createOptions.Labels');
  }
  assert.is(server.seen.length, tried);
  assert.is(other.seen.length, 0);
  await other.close();
});

test('other spellings of the granted address are that address, of another that other', async ({
  host,
  server,
}) => {
  const { port } = server;
  for (const spelling of [
    '2130706433',
    '0x7f.1',
    '0177.0.0.1',
    '127.0.0.1.',
    '%31%32%37.0.0.1',
    '１２７。0。0。1',
    'LOCALHOST',
  ]) {
    const outcome = await runIn(
      host,
      granted(`127.0.0.1:${port}`),
      fetching(`http://${spelling}:${port}/`),
    );
    assert.equal(outcome.value, [200, 'hello'], `${spelling}: ${outcome.error}`);
    isRefused(
      await runIn(host, granted(`*:*, 10.0.0.1:${port}`), fetching(`http://${spelling}:${port}/`)),
      '127.0.0.1',
    );
  }
});

test('a module without grants has no network, though its neighbour has; its host has none without both', async ({
  server,
}) => {
  const host = await createNetworkHost();
  const url = `http://127.0.0.1:${server.port}/`;
  const flags = (): string => {
    const pid = host.processes()['shared'] as number;
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  };
  isRefused(await runIn(host, noGrants, fetching(url)), 'it is granted nothing', 'add "127.0.0.1');
  assert.match(flags(), ' --permission ');
  assert.not.match(flags(), '--allow-net');
  const first = host.processes()['shared'];
  // Docker's default network is a promise to bundles that ask, and opens nothing yet.
  const implicit = readCreateOptions({ HostConfig: { NetworkMode: 'host' } }, 'o').grants;
  isRefused(await runIn(host, implicit, fetching(url)), 'it is granted nothing');
  assert.is(host.processes()['shared'], first);
  const grants = granted(`127.0.0.1:${server.port}`);
  assert.equal((await runIn(host, grants, fetching(url))).value, [200, 'hello']);
  assert.is.not(host.processes()['shared'], first, 'rights come with a new process');
  assert.match(flags(), ' --allow-net ');
  isRefused(await runIn(host, noGrants, fetching(url)), 'it is granted nothing');
  const none = granted(`127.0.0.1:${server.port}`, { NetworkMode: 'none' });
  isRefused(await runIn(host, none, fetching(url)), 'it is granted nothing');
  await host.stop();
});

test('whoever gets past the checks in a host without grants meets Node’s', () => {
  const hostMain = fileURLToPath(new URL('../../src/host/main.ts', import.meta.url));
  const program = `
    const tell = (how) => console.log(JSON.stringify([process.permission.has('net'), how]));
    const socket = require('node:net').connect(9, '127.0.0.1');
    socket.on('connect', () => tell('tried')).on('error', ({ code }) =>
      tell(code === 'ERR_ACCESS_DENIED' ? code : 'tried'));`;
  const answer = (grants: Grants): unknown =>
    JSON.parse(
      execFileSync(process.execPath, [...permissionFlags(hostMain, [grants]), '-e', program], {
        encoding: 'utf8',
        timeout: 20_000,
      }),
    );
  assert.equal(answer(noGrants), [false, 'ERR_ACCESS_DENIED']);
  assert.equal(answer(granted('a.test:443')), [true, 'tried']);
  assert.ok(covers([noGrants, granted('a.test:1')], granted('b.test:2')));
  assert.not.ok(covers([noGrants], granted('b.test:2')));
});

test('what fetch sends and what comes back', async ({ host }) => {
  const server = await serve((request, response) => {
    const pieces: Buffer[] = [];
    request.on('data', (piece: Buffer) => pieces.push(piece));
    request.on('end', () => {
      response.writeHead(
        201,
        'Well Made',
        [
          ['X-A', '1'],
          ['X-A', '2'],
          ['Set-Cookie', 'c=d'],
        ].flat(),
      );
      const { method, url, headers } = request;
      response.end(
        JSON.stringify({ method, url, headers, hex: Buffer.concat(pieces).toString('hex') }),
      );
    });
  });
  const place = `127.0.0.1:${server.port}`;
  const code = `
    const url = 'http://${place}/a?b=c#d';
    const headers = new Headers({ 'X-Test': 'one' });
    headers.append('x-test', 'two');
    const one = await fetch(url, { method: 'post', headers, body: 'grüße' });
    const told = [one.status, one.statusText, one.ok, one.url, one.redirected, one.headers.get('X-A'),
      one.headers.has('set-cookie'), one.bodyUsed];
    const first = await one.json();
    const again = await one.text().catch((error) => error.message);
    const two = await fetch(new Request(url, { method: 'PUT', body: new Uint8Array([0, 255, 10]) }), { headers: { a: 'b' } });
    const three = await fetch({ toString: () => url }, { method: 'patch', body: new Uint8Array([9, 1, 2, 9]).subarray(1, 3).slice().buffer });
    const four = await fetch(url, { method: 'HEAD' });
    const five = [];
    for await (const piece of (await fetch(url)).body) five.push(piece.constructor.name);
    return { told, first, again, two: await two.json(), three: JSON.parse(new TextDecoder().decode(await three.arrayBuffer())),
      four: [four.status, (await four.bytes()).length], five };`;
  const { value, error } = await runIn(host, granted(place), code);
  assert.is(error, undefined);
  // oxlint-disable-next-line typescript/no-explicit-any -- what the module made up
  const { told, first, again, two, three, four, five } = value as any;
  assert.equal(told, [
    201,
    'Well Made',
    true,
    `http://${place}/a?b=c#d`,
    false,
    '1, 2',
    true,
    false,
  ]);
  assert.equal(
    [first.method, first.url, first.hex],
    ['POST', '/a?b=c', Buffer.from('grüße').toString('hex')],
  );
  assert.is(first.headers['x-test'], 'one, two');
  assert.is(first.headers['content-type'], 'text/plain;charset=UTF-8');
  assert.is(first.headers['content-length'], '7');
  assert.is(again, 'The body has already been read');
  assert.equal([two.method, two.hex, two.headers.a], ['PUT', '00ff0a', 'b']);
  assert.equal([three.method, three.hex], ['PATCH', '0102']);
  assert.equal([four, five], [[201, 0], ['Uint8Array']]);
  await server.close();
});

test('a large body comes whole, piece by piece; one too large is refused by name', async ({
  host,
}) => {
  const body = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 7) % 251));
  const server = await serve((request, response) => {
    if (request.url === '/endless') {
      const piece = Buffer.alloc(65_536);
      const more = (): void => {
        while (!response.destroyed && response.write(piece));
      };
      response.on('drain', more);
      return more();
    }
    response.end(body);
  });
  const place = `127.0.0.1:${server.port}`;
  const code = `
    const bytes = await (await fetch('http://${place}/')).bytes();
    const whole = bytes.length === 1_000_000 && bytes.every((byte, index) => byte === (index * 7) % 251);
    const endless = await fetch('http://${place}/endless');
    const error = await endless.text().catch((error) => error);
    const sent = await fetch('http://${place}/', { method: 'POST', body: 'x'.repeat(1_048_577) }).catch((error) => error);
    const all = await Promise.all(Array.from({ length: 8 }, async () =>
      (await fetch('http://${place}/', { method: 'POST', body: new Uint8Array(1_000_000) })).status));
    return [whole, endless.status, error.code, error.message, sent.message, all.join()];`;
  const { value, error } = await runIn(host, granted(place), code);
  assert.is(error, undefined);
  const [whole, status, errorCode, message, sent, all] = value as [
    boolean,
    number,
    string,
    string,
    string,
    string,
  ];
  assert.equal([whole, status, errorCode], [true, 200, 'EMSGSIZE']);
  assert.match(message, /larger than 4194304 bytes \(isolet\.fetch\.response_kb\)/);
  assert.match(sent, /1048577 bytes, and fetch sends 1048576 at most/);
  assert.is(all, Array.from({ length: 8 }, () => 200).join());
  await server.close();
});

test('mistakes are told where they are made', async ({ host, server }) => {
  const url = `http://127.0.0.1:${server.port}/`;
  const code = `
    const url = '${url}';
    const tries = [
      () => fetch(url, { headers: { x: 'a\\r\\nHost: evil' } }),
      () => fetch(url, { headers: { 'x y': 'a' } }),
      () => fetch(url, { body: 'x' }),
      () => fetch('file:///etc/passwd'),
      () => fetch('ftp://127.0.0.1/'),
      () => fetch('/relative'),
      () => fetch('http://127.0.0.1:${server.port}@evil.test/'),
      () => fetch(url, { method: 'GET / HTTP/1.1' }),
    ];
    const told = [];
    for (const run of tries) told.push(await run().then(() => 'done', (error) => error.name + ' ' + error.message));
    return told;`;
  const { value } = await runIn(host, granted(`127.0.0.1:${server.port}`), code);
  const patterns = [
    /The header "x" has a line break/,
    /"x y" is no name of a header/,
    /method GET has no body/,
    /"file:" is not open to modules/,
    /"ftp:" is not open/,
    /URL is not valid/,
    /user name or password before evil\.test/,
    /method is no word of HTTP/,
  ];
  for (const [index, text] of (value as string[]).entries()) {
    assert.match(text, /^TypeError /);
    assert.match(text, patterns[index] as RegExp);
  }
});

test('abort, time limits and a cancelled body close the connection', async ({ host }) => {
  let closed = 0;
  const server = await serve((request, response) => {
    request.socket.on('close', () => closed++);
    if (request.url === '/stalls') response.write('begin');
  });
  const url = `http://127.0.0.1:${server.port}`;
  const code = `
    const told = [];
    const note = (promise) => promise.then(() => told.push('done'), (error) => told.push(error.name + ' ' + (error.code ?? '')));
    const before = AbortSignal.abort();
    await note(fetch('${url}', { signal: before }));
    await note(fetch('${url}', { signal: AbortSignal.abort(new RangeError('own')) }));
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    await note(fetch('${url}', { signal: controller.signal }));
    await note(fetch('${url}', { signal: AbortSignal.any([controller.signal, AbortSignal.timeout(10_000)]) }));
    await note(fetch('${url}', { signal: AbortSignal.timeout(20) }));
    const reading = new AbortController();
    const answer = await fetch('${url}/stalls', { signal: reading.signal });
    setTimeout(() => reading.abort(), 20);
    await note(answer.text());
    await (await fetch('${url}/stalls')).body.cancel();
    return told;`;
  const { value, error } = await runIn(host, granted(`127.0.0.1:${server.port}`), code);
  assert.is(error, undefined);
  assert.equal(value, [
    'AbortError 20',
    'RangeError ',
    'AbortError 20',
    'AbortError 20',
    'TimeoutError 23',
    'AbortError 20',
  ]);
  await until(10_000, 'all are closed', () => closed === 4 && server.seen.length === 4);
  await server.close();
});

test('a slow server meets the host’s time limit; a module that ends lets go of it', async () => {
  const host = await createNetworkHost({ fetchMs: 200 });
  let closed = 0;
  const server = await serve((request) => void request.socket.on('close', () => closed++));
  const url = `http://127.0.0.1:${server.port}/`;
  const grants = granted(`127.0.0.1:${server.port}`);
  const slow = await runIn(host, grants, fetching(url));
  assert.is(slow.code, 'ETIMEDOUT');
  assert.match(slow.error as string, /not over within 200 ms \(isolet\.fetch\.time_ms\)/);
  await until(10_000, 'closed', () => closed === 1);
  await host.stop();
  const patient = await createNetworkHost();
  await runIn(
    patient,
    grants,
    `void fetch('${url}').catch(() => {}); await new Promise((run) => setTimeout(run, 50)); return 1;`,
  );
  await until(10_000, 'closed with its module', () => closed === 2);
  assert.is(Object.keys(patient.processes()).length, 1, 'its host lives on');
  await patient.stop();
  await server.close();
});

test('TLS: a certificate counts for its name, and only with an authority the module trusts', async ({
  host,
}) => {
  const folder = mkdtempSync(join(tmpdir(), 'isolet-tls-'));
  const quiet = { debug() {}, info() {}, warn() {}, error() {} };
  const made = await ensureCertificate(folder, ['good.test'], systemClock, quiet);
  const server = await serve(
    (request, response) => response.end((request.socket as TLSSocket).servername || ''),
    '127.0.0.1',
    (listener) =>
      createSecureServer({ key: made.keyPem, cert: made.certificatePem }, listener) as never,
  );
  const { port } = server;
  const grants: Grants = {
    ...granted(`good.test:${port}, bad.test:${port}, 127.0.0.1:${port}`, {
      ExtraHosts: ['good.test:127.0.0.1', 'bad.test:127.0.0.1'],
    }),
    binds: [{ source: folder, target: '/certificates', writable: false }],
  };
  const env = { NODE_EXTRA_CA_CERTS: '/certificates/ca.pem' };
  const good = `https://good.test:${port}/`;
  assert.equal((await runIn(host, grants, fetching(good), env)).value, [200, 'good.test']);
  const stranger = await runIn(host, grants, fetching(good));
  assert.match(stranger.error as string, /nobody this module trusts: .*NODE_EXTRA_CA_CERTS/);
  for (const url of [`https://bad.test:${port}/`, `https://127.0.0.1:${port}/`]) {
    const other = await runIn(host, grants, fetching(url), env);
    assert.is(other.code, 'ERR_TLS_CERT_ALTNAME_INVALID', url);
    assert.match(other.error as string, /its certificate is for other names/);
  }
  const absent = await runIn(host, grants, fetching(good), {
    NODE_EXTRA_CA_CERTS: '/certificates/none.pem',
  });
  assert.match(absent.error as string, /nobody this module trusts/);
  const plain = await runIn(host, grants, fetching(`http://good.test:${port}/`));
  assert.ok(['ECONNRESET', 'EPROTO'].includes(plain.code ?? ''), JSON.stringify(plain));
  await server.close();
  rmSync(folder, { recursive: true });
});

test.run();
