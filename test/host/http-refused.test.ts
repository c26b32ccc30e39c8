/** An HTTP server in a module: limits, refusals, and what a module that lies can reach. */
import { connect, createServer, type Socket } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { ModuleHost } from '../../src/core/ports.ts';
import { endOf, granting, startNoting } from '../contracts/module-host.ts';
import { until, within } from '../fakes/within.ts';
import { guestPrograms } from './contract-programs.ts';
import { AT, freePort, openHost, startHttp, withHost, withHttp } from './http-module.ts';
import { createTestHost } from './real-host.ts';

const LIMIT_MS = 10_000;
const test = suite<{ host: ModuleHost }>('http server, refused');
/** For those that need no limits of their own. */
test.before(async (context) => {
  context.host = await openHost();
});
test.after(({ host }) => host.stop());

/** Answers when told to; `/never` never. */
const PLAIN = `
  import http from 'node:http';
  http.createServer((req, res) => { if (req.url !== '/never') res.end('plain'); }).listen(8080);`;

test('a body too large is 413, and a very large one costs the connection', () =>
  withHttp(
    PLAIN,
    async ({ url, port }) => {
      const put = (bytes: number) => fetch(url, { method: 'PUT', body: Buffer.alloc(bytes) });
      assert.is((await put(1_000)).status, 200);
      const answer = await put(1_001);
      assert.is(answer.status, 413);
      assert.match(await answer.text(), 'larger than this device takes');
      const said = await raw(port, 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999\r\n\r\n');
      assert.match(said, /^HTTP\/1\.1 413 .*connection: close/is);
      const chunked = `PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1770\r\n${'x'.repeat(6_000)}`;
      assert.match(await raw(port, chunked), /^HTTP\/1\.1 413 /);
      assert.is((await put(1)).status, 200);
    },
    { bodyBytesMax: 1_000 },
  ));

test('too many requests at once are 503 with the time to come again', () =>
  withHttp(
    PLAIN,
    async ({ url }) => {
      const held = [1, 2].map(() => fetch(`${url}/never`));
      await until(LIMIT_MS, 'a refusal', () => refusedWith(url));
      const answer = await fetch(url);
      assert.equal([answer.status, answer.headers.get('retry-after')], [503, '1']);
      for (const one of await Promise.all(held)) assert.is(one.status, 504);
      assert.is((await fetch(url)).status, 200, 'there is room again');
    },
    { requestsMax: 2, answerMs: 1_000 },
  ));

/** Remembers what the last probe met. */
let lastStatus = 0;
function refusedWith(url: string): boolean {
  void fetch(url).then(({ status }) => (lastStatus = status));
  return lastStatus === 503;
}

test('a module that never answers is a 504, and its late answer harms nobody', () =>
  withHttp(
    `import http from 'node:http';
    http.createServer((req, res) => {
      if (req.url !== '/late') return void res.end('well');
      req.on('close', () => { console.log('too late'); res.end('late', () => console.log('never said')); });
    }).listen(8080);`,
    async ({ url, log }) => {
      const answer = await fetch(`${url}/late`);
      assert.equal(
        [answer.status, (await answer.text()).trim()],
        [504, 'The module did not answer in time.'],
      );
      await log('too late');
      assert.is(await (await fetch(url)).text(), 'well');
    },
    { answerMs: 200 },
  ));

test('headers too large, no headers, half a request: Node’s own answers, in time', () =>
  withHttp(
    PLAIN,
    async ({ port }) => {
      assert.match(
        await raw(port, `GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(3_000)}\r\n\r\n`),
        /^HTTP\/1\.1 431/,
      );
      assert.match(await raw(port, 'GET / HTTP/1.1\r\nHos'), /^HTTP\/1\.1 408/);
      assert.match(
        await raw(port, 'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nab'),
        /^HTTP\/1\.1 408/,
      );
      assert.match(await raw(port, 'nonsense\r\n\r\n'), /^HTTP\/1\.1 400/);
    },
    { headerBytesMax: 2_000, headersMs: 200, requestMs: 300 },
  ));

test('no more connections than allowed', () =>
  withHttp(
    PLAIN,
    async ({ port }) => {
      const held = await Promise.all([open(port), open(port)]);
      const third = await open(port);
      await within(LIMIT_MS, 'it is closed', new Promise((resolve) => third.on('close', resolve)));
      assert.not.ok(held.some((socket) => socket.destroyed));
      for (const socket of held) socket.destroy();
    },
    { connectionsMax: 2, idleMs: 60_000 },
  ));

test('when the module ends, its connections are closed and its port is free at once', () =>
  withHost({}, async (host) => {
    const port = await freePort();
    const first = await startHttp(host, PLAIN, { published: { port } });
    const held = await open(port);
    held.write('GET /never HTTP/1.1\r\nHost: a\r\n\r\n');
    const closed = within(LIMIT_MS, 'closed', new Promise((resolve) => held.on('close', resolve)));
    assert.is(await (await fetch(first.url)).text(), 'plain');
    await first.running.stop();
    await closed;
    for (let i = 0; i < 5; i++) {
      const again = await startHttp(host, PLAIN, { published: { port } });
      assert.is(await (await fetch(again.url)).text(), 'plain');
      await again.running.stop();
    }
    await assertClosed(port);
  }));

test('a module that dies midway cuts its answers off', () =>
  withHost({}, async (host) => {
    const told = await startHttp(
      host,
      `import http from 'node:http';
      http.createServer((req, res) => {
        res.write('begun');
        setTimeout(() => { throw new Error('midway'); }, 50);
      }).listen(8080);`,
    );
    const answer = await fetch(told.url);
    await answer.text().then(
      () => assert.unreachable(),
      (cause: Error) => assert.is(cause.name, 'TypeError'),
    );
    assert.match((await endOf(told)).reason, 'midway');
    await assertClosed(told.port);
  }));

test('a port outside the grant is EACCES with what is granted; one twice is EADDRINUSE', () =>
  withHttp(
    `import http from 'node:http';
    const attempt = (port, host) => {
      const server = http.createServer();
      server.on('error', ({ code, message }) => console.log(port, code, message));
      server.listen(port, host, () => console.log(port, host, 'listens'));
    };
    attempt(8080); attempt(8080); attempt(80); attempt(0); attempt(9090);`,
    async ({ log }) => {
      assert.match(
        await log('80 EACCES'),
        'port 80 was not granted; this module was granted 8080, 9090: add HostConfig.PortBindings {"80/tcp"',
      );
      await log('0 EACCES');
      assert.match(await log('8080 EADDRINUSE'), 'this module listens on port 8080 already');
      await log('9090 undefined listens');
      await log(
        'nobody reaches port 9090 of this module: HostConfig.PortBindings does not name it',
      );
    },
  ));

test('a module without any port is told so, in a host without the network', async () => {
  const host = createTestHost();
  const told = startNoting(host, {
    module: 'web',
    code: `isolet.onHost((event) => isolet.request([{ t: 'log', level: 'info', text: event.error.message }]));
      isolet.host([{ t: 'ask', call: 1, service: 'http', what: 'listen', args: { port: 80 } }]);`,
  });
  await until(LIMIT_MS, 'told', () => told.requests.length === 1);
  assert.match(JSON.stringify(told.requests), 'this module was granted no port');
  const args = await import('node:fs').then(({ readFileSync }) =>
    readFileSync(`/proc/${host.processes()['shared']}/cmdline`, 'utf8'),
  );
  assert.not.match(args, '--allow-net');
  await host.stop();
});

test('a module that listens on its loopback alone is reached by nobody, and a line says so', () =>
  withHost({}, async (host) => {
    const told = await startHttp(
      host,
      `import http from 'node:http'; http.createServer().listen(8080, '127.0.0.1');`,
    );
    assert.match(told.logs().join('\n'), 'it listens on 127.0.0.1 only');
  }));

// ------------------------------------------------------------------------------------ taken ports

test('a taken port refuses its module before its code runs, and its neighbour runs', () =>
  withHost({}, async (host) => {
    const other = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { readonly port: number };
    const wants = granting({ ports: [{ port: 8080, published: [{ ip: '', port, at: AT }] }] });
    const code = `import 'none';`;
    const told = startNoting(host, { module: 'web', code, grants: wants });
    const neighbour = await startHttp(host, PLAIN, { module: 'neighbour' });
    const ending = await endOf(told);
    assert.equal([ending.cause, ending.exitCode, told.calls], ['refused', 125, ['ended']]);
    assert.is(
      ending.reason,
      `${AT}: port ${port} of the device is taken by another program: stop that one, or publish another port.`,
    );
    assert.is(await (await fetch(neighbour.url)).text(), 'plain');
    await new Promise((resolve) => other.close(resolve));
    const again = await startHttp(host, PLAIN, { published: { port } });
    assert.is(await (await fetch(again.url)).text(), 'plain', 'tried again, it runs');
  }));

test('of two modules with one port the second is refused, in whatever host, and hears who has it', () =>
  withHost({}, async (host) => {
    const port = await freePort();
    const first = await startHttp(host, PLAIN, { module: 'first', published: { port } });
    for (const [group, ip] of [
      ['shared', ''],
      ['module second', '127.0.0.1'],
    ] as const) {
      const published = [{ ip, port, at: 'second' }];
      const grants = granting({ ports: [{ port: 80, published }] });
      const second = startNoting(host, { module: 'second', code: '', grants, group });
      const { cause, reason } = await endOf(second);
      assert.is(cause, 'refused');
      assert.is(
        reason,
        `second: port ${port} of the device is taken by module first (${AT}): publish another port.`,
      );
    }
    const elsewhere = await startHttp(host, PLAIN, {
      module: 'second',
      published: { port, ip: '127.0.0.2' },
    });
    await first.running.stop();
    await elsewhere.running.stop();
    const after = await startHttp(host, PLAIN, { module: 'second', published: { port } });
    assert.is(await (await fetch(after.url)).text(), 'plain');
  }));

test('an address this device does not have is refused with the field', () =>
  withHost({}, async (host) => {
    const published = [{ ip: '192.0.2.1', port: 0, at: AT }];
    const grants = granting({ ports: [{ port: 80, published }] });
    const told = startNoting(host, { module: 'web', code: guestPrograms.echo, grants });
    assert.is(
      (await endOf(told)).reason,
      `${AT}: 192.0.2.1 is no address of this device: correct HostIp, or leave it out for all addresses.`,
    );
  }));

// --------------------------------------------------------------------------------------- liars

test('a line break in a header is refused in the guest', () =>
  withHttp(
    `import http from 'node:http';
    http.createServer((req, res) => {
      const codes = [
        () => res.setHeader('X', 'a\\r\\nSet-Cookie: b'),
        () => res.setHeader('X\\r\\nY', 'a'),
        () => res.writeHead(200, 'OK\\r\\nX: y'),
        () => res.writeHead(200, { X: 'a\\nb' }),
      ].map((run) => { try { run(); return 'taken'; } catch (error) { return error.code; } });
      res.statusMessage = '';
      res.end(codes.join());
    }).listen(8080);`,
    async ({ url }) => {
      const answer = await fetch(url);
      assert.is(
        await answer.text(),
        'ERR_INVALID_CHAR,ERR_INVALID_HTTP_TOKEN,ERR_INVALID_CHAR,ERR_INVALID_CHAR',
      );
    },
  ));

/** Answers by hand: what our own half in the guest would never send. */
const forging = (pieces: string): string => `
  const seam = globalThis[Symbol.for('isolet.treaty.1')];
  const ask = (what, args) => new Promise((resolve) =>
    seam.hostCall({ t: 'ask', service: 'http', what, args }, (error, value) => resolve(error ?? value)));
  seam.onSignal('http', (source, { t, id, url }) => {
    if (t !== 'request') return;
    if (url === '/well') return void ask('respond', [{ id, head: { status: 200, headers: [] }, data: 'well', end: true }]);
    const head = { status: 200, message: 'OK', headers: [] };
    ask('respond', ${pieces}).then((how) => console.log('how', JSON.stringify(how)));
  });
  ask('listen', { port: 8080 });`;

const forged: Readonly<Record<string, readonly [pieces: string, status: number, how: string]>> = {
  'a header with a line break': [
    `[{ id, head: { ...head, headers: [['X', 'a\\r\\nY: b']] }, end: true }]`,
    502,
    '["gone"]',
  ],
  'a header that is no pair': [
    `[{ id, head: { ...head, headers: [['X']] }, end: true }]`,
    502,
    '["gone"]',
  ],
  'a status line of its own': [
    `[{ id, head: { ...head, message: 'OK\\r\\nX: y' }, end: true }]`,
    502,
    '["gone"]',
  ],
  'a status that is none': [`[{ id, head: { ...head, status: 101 }, end: true }]`, 502, '["gone"]'],
  'a body without a head': [`[{ id, data: 'x', end: true }]`, 502, '["gone"]'],
  'things that are no pieces': [
    `[{ id, head: 7 }, null, 'x', 5, [], {}, { id: '__proto__' }]`,
    502,
    '["gone","gone","gone","gone","gone","gone","gone"]',
  ],
  'requests that are not its own': [
    `[{ id: 999, head, data: 'x', end: true }, { id: -1 }, { id, head, data: 'own', end: true }]`,
    200,
    '["gone","gone","ok"]',
  ],
  'an answer twice': [
    `[{ id, head, data: 'own', end: true }, { id, head, data: 'again', end: true }]`,
    200,
    '["ok","gone"]',
  ],
};

for (const [what, [pieces, status, how]] of Object.entries(forged)) {
  test(`a module that answers with ${what} harms nobody`, async ({ host }) => {
    const { url, log, running } = await startHttp(host, forging(pieces));
    const answer = await fetch(url);
    assert.is(answer.status, status);
    assert.is(answer.headers.get('y'), null);
    const text = await answer.text();
    if (status === 200) assert.is(text, 'own');
    assert.is(await log('how'), `how ${how}`);
    assert.is(await (await fetch(`${url}/well`)).text(), 'well');
    await running.stop();
  });
}

test('two heads, or a framing of its own, cost the connection or nothing', async () => {
  await withHttp(
    forging(`[{ id, head, data: 'a' }, { id, head, data: 'b' }]`),
    async ({ url, log }) => {
      await fetch(url)
        .then((answer) => answer.text())
        .then(
          () => assert.unreachable(),
          () => {},
        );
      assert.is(await log('how'), 'how ["ok","gone"]');
      assert.is(await (await fetch(`${url}/well`)).text(), 'well');
    },
  );
  const headers = `[['Transfer-Encoding', 'gzip'], ['Connection', 'upgrade'], ['Upgrade', 'x'], ['Keep-Alive', 'timeout=9999']]`;
  await withHttp(
    forging(`[{ id, head: { ...head, headers: ${headers} }, data: 'body', end: true }]`),
    async ({ url }) => {
      const answer = await fetch(url);
      assert.is(await answer.text(), 'body');
      assert.is(answer.headers.get('upgrade'), null);
      assert.not.match(answer.headers.get('keep-alive') ?? '', '9999');
    },
  );
});

test('a module that writes without waiting loses the connection, not the host', () =>
  withHttp(
    `const seam = globalThis[Symbol.for('isolet.treaty.1')];
    const ask = (what, args) => new Promise((resolve) =>
      seam.hostCall({ t: 'ask', service: 'http', what, args }, (error, value) => resolve(error ?? value)));
    seam.onSignal('http', async (source, { t, id }) => {
      if (t !== 'request') return;
      const head = { status: 200, message: '', headers: [] };
      await ask('respond', [{ id, head }]);
      const seen = new Set();
      for (let i = 0; i < 1000 && !seen.has('gone'); i++) seen.add(...(await ask('respond', [{ id, data: 'x'.repeat(50_000) }])));
      console.log('saw', [...seen].join());
    });
    ask('listen', { port: 8080 });`,
    async ({ port, log }) => {
      const socket = await open(port);
      socket.pause();
      socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      assert.is(await log('saw'), 'saw ok,full,gone');
      socket.destroy();
    },
    { waitingBytesMax: 300_000 },
  ));

// --------------------------------------------------------------------------------------- clients

function open(port: number): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  const socket = connect(port, '127.0.0.1', () => resolve(socket)).on('error', reject);
  return within(LIMIT_MS, 'connect', promise);
}

/** Sends bytes as they are and reads until the server closes. */
async function raw(port: number, bytes: string): Promise<string> {
  const socket = await open(port);
  socket.on('error', () => {});
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString()));
  socket.write(bytes);
  await within(
    LIMIT_MS,
    'the server closes',
    new Promise((resolve) => socket.on('close', resolve)),
  );
  return text;
}

async function assertClosed(port: number): Promise<void> {
  try {
    (await open(port)).destroy();
  } catch (cause) {
    assert.is((cause as NodeJS.ErrnoException).code, 'ECONNREFUSED');
    return;
  }
  assert.unreachable('the port is still open');
}

test.run();
