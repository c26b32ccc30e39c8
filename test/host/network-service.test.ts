/** The network of one module, asked as its isolate would: any module's code, honest or not. */
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Json, JsonObject } from '../../src/core/json.ts';
import { ServiceError } from '../../src/host/device-services.ts';
import { defaultHostSettings, type HostSettings } from '../../src/host/host-settings.ts';
import type { Resolve } from '../../src/host/network-access.ts';
import { createNetworkServiceWith } from '../../src/host/network-service.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { until, within } from '../fakes/within.ts';
import { granted, serve, type TestServer } from './network-kit.ts';

const LIMIT_MS = 10_000;

type Options = {
  readonly settings?: Partial<HostSettings>;
  readonly resolve?: Resolve;
  readonly hostConfig?: JsonObject;
};

type Told = { status: number; piece: string; done: boolean; url: string; redirected: boolean } & {
  headers: [string, string][];
};

const opened: { close(): void }[] = [];

function open(label: string, { settings, resolve, hostConfig = {} }: Options = {}) {
  const service = createNetworkServiceWith(
    {
      module: 'm',
      grants: granted(label, hostConfig),
      settings: { ...defaultHostSettings, ...settings },
    },
    { clock: systemClock, resolve: resolve ?? (() => Promise.reject(new Error('asked'))) },
  );
  opened.push(service);
  let lastId = 0;
  const ask = (what: string, args: Json): Promise<Json> =>
    within(LIMIT_MS, what, service.ask(what, args));
  return {
    service,
    ask,
    fetch: async (url: string, more: JsonObject = {}): Promise<Told> =>
      (await ask('fetch', {
        id: ++lastId,
        url,
        method: 'GET',
        headers: [],
        body: null,
        redirect: 'follow',
        ...more,
      })) as Told,
    async text(told: Told, id = lastId): Promise<string> {
      let { piece, done } = told;
      const all = [Buffer.from(piece, 'base64')];
      while (!done) {
        ({ piece, done } = (await ask('read', { id })) as { piece: string; done: boolean });
        all.push(Buffer.from(piece, 'base64'));
      }
      return Buffer.concat(all).toString();
    },
  };
}

async function failure(work: Promise<unknown>): Promise<ServiceError> {
  try {
    await work;
  } catch (cause) {
    if (cause instanceof ServiceError) return cause;
    throw cause;
  }
  throw new Error('it was not refused');
}

const test = suite<{ server: TestServer }>('network service');
test.before(async (context) => {
  context.server = await serve((request, response) => {
    response.setHeader('x-host', request.headers.host ?? '');
    response.end(`${request.method} ${request.url}`);
  });
});
test.after.each(() => {
  for (const service of opened.splice(0)) service.close();
});
test.after(({ server }) => server.close());

test('a granted name that leads inside is refused, and says where it leads', async ({ server }) => {
  const { port, seen } = server;
  const before = seen.length;
  const inside = [
    '127.0.0.1',
    '10.0.0.5',
    '192.168.1.1',
    '172.20.1.1',
    '169.254.169.254',
    '100.64.0.9',
    '0.0.0.0',
    '224.0.0.1',
    '::1',
    '::',
    '::ffff:127.0.0.1',
    '64:ff9b::7f00:1',
    'fd00::1',
    'fe80::1',
    'fe80::1%lo',
  ];
  for (const address of inside) {
    for (const label of [`rebind.test:${port}`, '*:*', `*.test:*, 127.0.0.2:${port}, 10.0.0.4:*`]) {
      const { fetch } = open(label, { resolve: async () => [address] });
      const { code, message } = await failure(fetch(`http://rebind.test:${port}/`));
      assert.is(code, 'EACCES', `${label} ${address}`);
      assert.match(message, `module m may not reach rebind.test:${port}`);
      if (!address.includes('%')) assert.match(message, /\(.+, .+\).*opens public addresses only/);
    }
  }
  assert.is(seen.length, before);
});

test('a name is resolved once, and the socket goes to what was checked and nowhere else', async ({
  server,
}) => {
  const { port } = server;
  const asked: string[] = [];
  // Whoever asks again gets another address.
  const resolve: Resolve = async (name) => {
    asked.push(name);
    return asked.length === 1 ? ['127.0.0.9', '127.0.0.1', '::1'] : ['127.0.0.9'];
  };
  const label = `rebind.test:${port} 127.0.0.1:${port}`;
  const { fetch, text, service } = open(label, { resolve });
  const told = await fetch(`http://rebind.test:${port}/a?b`);
  assert.is(await text(told), 'GET /a?b');
  assert.equal(asked, ['rebind.test']);
  assert.is(new Headers(told.headers).get('x-host'), `rebind.test:${port}`);
  const { message } = await failure(fetch(`http://rebind.test:${port}/`));
  assert.match(message, /\(127\.0\.0\.9, loopback\)/);
  service.close();
});

test('names that were not granted reach no name server', async ({ server }) => {
  const { port } = server;
  let asked = 0;
  const resolve: Resolve = async () => {
    asked++;
    return ['127.0.0.1'];
  };
  const { fetch } = open(`a.test:${port}, 127.0.0.1:${port}`, { resolve });
  for (const url of [`http://secret.evil.test:${port}/`, `http://a.test:${port + 1}/`]) {
    assert.is((await failure(fetch(url))).code, 'EACCES');
  }
  assert.is(asked, 0);
});

test('ExtraHosts places a granted name; localhost is this device, and needs an address', async ({
  server,
}) => {
  const { port } = server;
  const hostConfig = { ExtraHosts: ['printer:127.0.0.1', 'other:127.0.0.1'] };
  const { fetch, text } = open(`printer:${port}`, { hostConfig });
  assert.is(await text(await fetch(`http://PRINTER.:${port}/`)), 'GET /');
  assert.is((await failure(fetch(`http://other:${port}/`))).code, 'EACCES');
  assert.is((await failure(fetch(`http://127.0.0.1:${port}/`))).code, 'EACCES');
  const byName = await failure(open(`localhost:${port}`).fetch(`http://localhost:${port}/`));
  assert.match(byName.message, `(127.0.0.1, loopback, ::1, loopback)`);
  assert.match(byName.message, `add "127.0.0.1:${port}, [::1]:${port}" to the label`);
  const local = open(`127.0.0.1:${port}`);
  assert.is((await local.fetch(`http://a.localhost:${port}/`)).status, 200);
});

test('what is no plain HTTP is refused by name', async ({ server }) => {
  const { port } = server;
  const { fetch } = open(`*:*, 127.0.0.1:${port}`, { resolve: async () => ['127.0.0.1'] });
  for (const url of [
    'file:///etc/passwd',
    'data:text/plain,a',
    'ftp://127.0.0.1/',
    'ws://127.0.0.1/',
    'javascript:1',
    'blob:x',
    'gopher://a/',
  ]) {
    const { code, message } = await failure(fetch(url));
    assert.is(code, 'EPROTONOSUPPORT', url);
    assert.match(message, `"${url.slice(0, url.indexOf(':') + 1)}" is not open to modules`);
  }
  for (const url of ['', '/a', 'http://', 'http://[', 'http://a b/', `http://127.0.0.1:70000/`]) {
    assert.match((await failure(fetch(url))).message, /its URL is not valid/, url);
  }
  const tricks = await failure(fetch(`http://127.0.0.1:${port}@evil.test/`));
  assert.match(tricks.message, /user name or password before evil\.test/);
  for (const url of [
    `http://evil.test\\@127.0.0.1:${port}/`,
    `http://evil.test#@127.0.0.1:${port}/`,
    `http://127.0.0.1:${port}.evil.test/`,
    `http://evil.test?@127.0.0.1:${port}/`,
  ]) {
    const { code, message } = await failure(fetch(url));
    assert.ok(
      code === 'EINVAL' || (code === 'EACCES' && /evil\.test:80/.test(message)),
      `${url}: ${message}`,
    );
  }
});

test('no header and no method can smuggle a second request or another host', async ({ server }) => {
  const { port, seen } = server;
  const { fetch } = open(`127.0.0.1:${port}`);
  const url = `http://127.0.0.1:${port}/`;
  const bad: readonly JsonObject[] = [
    { headers: [['x', 'a\r\nHost: evil']] },
    { headers: [['x', 'a\nb']] },
    { headers: [['x', 'a\0b']] },
    { headers: [['x', 'a\u010ab']] },
    { headers: [['x\r\ny', 'a']] },
    { headers: [['x y', 'a']] },
    { headers: [['', 'a']] },
    { headers: [['x', 5]] },
    { headers: 'x' },
    { method: 'GET / HTTP/1.1\r\nHost: evil\r\n\r\nGET' },
    { method: 'CONNECT' },
    { method: 'trace' },
    { method: '' },
    { redirect: 'sometimes' },
    { body: 5 },
    { id: 1.5 },
  ];
  const before = seen.length;
  for (const more of bad) {
    assert.is((await failure(fetch(url, more))).code, 'EINVAL', JSON.stringify(more));
  }
  assert.is(seen.length, before);
  await fetch(url, {
    headers: [
      ['Host', 'evil.test'],
      ['Connection', 'upgrade'],
      ['Upgrade', 'websocket'],
      ['Transfer-Encoding', 'chunked'],
      ['Content-Length', '5'],
      ['Proxy-Authorization', 'x'],
      ['X-Own', 'ä'],
      ['__proto__', 'p'],
    ],
  });
  const { headers } = seen.at(-1) as TestServer['seen'][number];
  assert.is(headers.host, `127.0.0.1:${port}`);
  assert.is(headers['x-own'], 'ä');
  assert.is(headers['user-agent'], 'isolet');
  for (const name of ['upgrade', 'transfer-encoding', 'content-length', 'proxy-authorization']) {
    assert.is(headers[name], undefined, name);
  }
  const path = await fetch(`${url}a\r\nb c/\t?d e`);
  assert.match(Buffer.from(path.piece, 'base64').toString(), 'GET /ab%20c/?d%20e');
});

test('every hop of a redirect is checked anew', async ({ server }) => {
  const other = await serve((request, response) => response.end(JSON.stringify(request.headers)));
  const moves = await serve((request, response) => {
    const to = new URL(request.url ?? '', 'http://x').searchParams.get('to') ?? '';
    response.writeHead(Number(request.headers['x-status'] ?? 302), { location: to }).end('moved');
  });
  const { fetch, text } = open(`127.0.0.1:${moves.port}, 127.0.0.1:${other.port}`);
  const from = `http://127.0.0.1:${moves.port}/?to=`;
  const secrets = [
    ['authorization', 'a'],
    ['cookie', 'b'],
    ['x-status', '307'],
    ['content-type', 'text/x'],
  ];
  const refused = [
    `http://127.0.0.1:${server.port}/`,
    `http://localhost:1/`,
    `//127.0.0.2:${other.port}/`,
    `http://[::1]:${other.port}/`,
  ];
  for (const to of refused)
    assert.is((await failure(fetch(from + encodeURIComponent(to)))).code, 'EACCES', to);
  for (const to of ['file:///etc/passwd', 'data:,x']) {
    assert.is((await failure(fetch(from + to))).code, 'EPROTONOSUPPORT');
  }
  assert.match(
    (await failure(fetch(`${from}http://u:p@127.0.0.1:${other.port}/`))).message,
    /password/,
  );
  const there = `http://127.0.0.1:${other.port}/`;
  const body = Buffer.from('body').toString('base64');
  const told = await fetch(from + there, { headers: secrets, method: 'POST', body });
  assert.equal([told.redirected, told.url], [true, there]);
  const kept = JSON.parse(await text(told)) as Record<string, string>;
  assert.equal([kept['authorization'], kept['cookie']], [undefined, undefined]);
  assert.equal([kept['content-length'], kept['content-type']], ['4', 'text/x']);
  assert.is(other.seen.at(-1)?.method, 'POST');
  const got = await fetch(from + there, {
    headers: [['content-type', 'text/x']],
    method: 'POST',
    body,
  });
  const plain = JSON.parse(await text(got)) as Record<string, string>;
  assert.equal([plain['content-type'], other.seen.at(-1)?.method], [undefined, 'GET']);

  assert.is((await failure(fetch(from + there, { redirect: 'error' }))).code, 'ELOOP');
  const manual = await fetch(from + there, { redirect: 'manual' });
  assert.equal([manual.status, manual.redirected], [302, false]);
  await moves.close();
  await other.close();
});

test('a server that only redirects to itself is left in the end', async () => {
  const server = await serve((_request, response) =>
    response.writeHead(301, { location: '/again' }).end(),
  );
  const { fetch } = open(`127.0.0.1:${server.port}`);
  const { code, message } = await failure(fetch(`http://127.0.0.1:${server.port}/`));
  assert.is(code, 'ELOOP');
  assert.match(message, /redirects more than 20 times/);
  await server.close();
});

test('limits: bodies and headers both ways, fetches at once; each is named', async ({ server }) => {
  const large = await serve((request, response) => {
    if (request.url === '/headers') response.setHeader('x', 'h'.repeat(20_000));
    response.end(Buffer.alloc(300_000, 97));
  });
  const settings = { fetchResponseBytesMax: 200_000, fetchRequestBytesMax: 1_000, fetchesMax: 2 };
  const { fetch, ask, text } = open(`127.0.0.1:${large.port}, 127.0.0.1:${server.port}`, {
    settings,
  });
  const url = `http://127.0.0.1:${large.port}/`;
  const tooLarge = await failure(fetch(url).then((told) => text(told)));
  assert.is(tooLarge.code, 'EMSGSIZE');
  assert.match(tooLarge.message, /larger than 200000 bytes \(isolet\.fetch\.response_kb\)/);
  assert.match(
    (await failure(fetch(`${url}headers`))).message,
    /headers of its answer .*isolet\.fetch\.header_kb/,
  );
  const body = Buffer.alloc(1_001).toString('base64');
  assert.match(
    (await failure(fetch(url, { method: 'PUT', body }))).message,
    /1001 bytes, more than 1000/,
  );
  const headers = [['x', 'h'.repeat(20_000)]];
  assert.match((await failure(fetch(url, { headers }))).message, /isolet\.fetch\.header_kb/);
  await fetch(url, { id: 101 });
  await fetch(url, { id: 102 });
  const many = await failure(fetch(url));
  assert.is(many.code, 'EMFILE');
  assert.match(many.message, /2 fetches under way .*read or cancel/);
  assert.is((await failure(fetch(url, { id: 101 }))).code, 'EINVAL');
  await ask('cancel', { id: 101 });
  assert.is(
    (await fetch(`http://127.0.0.1:${server.port}/`)).done,
    true,
    'a short answer is over at once',
  );
  await fetch(url);
  await large.close();
});

test('a server that is slow, falls silent, breaks off, or speaks something else', async () => {
  const server = await serve((request, response) => {
    if (request.url === '/never') return;
    response.writeHead(200, { 'content-length': 1_000 });
    response.write('begin');
    if (request.url === '/breaks') response.destroy();
    if (request.url === '/later') setImmediate(() => setTimeout(() => response.destroy(), 100));
  });
  const { fetch, ask } = open(`127.0.0.1:${server.port}`, { settings: { fetchMs: 400 } });
  const url = `http://127.0.0.1:${server.port}`;
  const slow = await failure(fetch(`${url}/never`));
  assert.is(slow.code, 'ETIMEDOUT');
  assert.match(
    slow.message,
    /127\.0\.0\.1:\d+: it was not over within 400 ms \(isolet\.fetch\.time_ms\)/,
  );
  await fetch(`${url}/stalls`, { id: 7 });
  assert.is((await failure(ask('read', { id: 7 }))).code, 'ETIMEDOUT');
  assert.is((await failure(ask('read', { id: 7 }))).code, 'EBADF');
  await fetch(`${url}/later`, { id: 8 });
  const broken = await failure(ask('read', { id: 8 }));
  assert.is(broken.code, 'ECONNRESET');
  assert.match(broken.message, /closed before the answer was complete/);
  const atOnce = await failure(
    fetch(`${url}/breaks`, { id: 9 }).then(() => ask('read', { id: 9 })),
  );
  assert.is(atOnce.code, 'ECONNRESET');
  await server.close();
  assert.is((await failure(fetch(`${url}/`))).code, 'ECONNREFUSED');
  const strange = createTcpServer((socket) => {
    socket.on('error', () => {}).resume();
    socket.end('SSH-2.0-OpenSSH\r\n');
  });
  await new Promise<void>((resolve) => strange.listen(0, '127.0.0.1', resolve));
  const { port } = strange.address() as AddressInfo;
  const other = open(`127.0.0.1:${port}`);
  assert.is((await failure(other.fetch(`http://127.0.0.1:${port}/`))).code, 'EPROTO');
  await new Promise((resolve) => strange.close(resolve));
});

test('answers of old and strange servers', async () => {
  const answers: Record<string, string> = {
    '/old': 'HTTP/1.0 200 OK\r\n\r\nuntil the end',
    '/early': 'HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok',
    '/upgrade': 'HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nabc',
    '/both': 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\nok',
    '/none': 'HTTP/1.1 204 No Content\r\n\r\n',
  };
  const server = createTcpServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (text) => socket.end(answers[String(text).split(' ')[1] ?? ''] ?? ''));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const { fetch, text } = open(`127.0.0.1:${port}`);
  const url = `http://127.0.0.1:${port}`;
  assert.is(await text(await fetch(`${url}/old`)), 'until the end');
  assert.is(await text(await fetch(`${url}/early`)), 'ok');
  assert.equal([(await fetch(`${url}/none`)).status], [204]);
  assert.is((await failure(fetch(`${url}/upgrade`))).code, 'ECONNRESET');
  assert.is((await failure(fetch(`${url}/both`))).code, 'EPROTO');
  await new Promise((resolve) => server.close(resolve));
});

test('a name server that never answers holds nobody up, and one that knows nothing is told', async () => {
  const silent = open('a.test:80', {
    settings: { fetchMs: 100 },
    resolve: () => new Promise(() => {}),
  });
  assert.is((await failure(silent.fetch('http://a.test/'))).code, 'ETIMEDOUT');
  let asked = 0;
  const flood = open('a.test:80', {
    resolve: () => {
      asked++;
      return new Promise(() => {});
    },
  });
  for (let id = 1000; id < 1100; id++) {
    const fetched = failure(flood.fetch('http://a.test/', { id }));
    await flood.ask('cancel', { id });
    assert.match((await fetched).code, asked < 16 ? /ECANCELED/ : /ECANCELED|EMFILE/);
  }
  assert.is(asked, 16, 'cancelling does not make room for more questions');
  const none = open('a.test:80', {
    resolve: () => Promise.reject(Object.assign(new Error(), { code: 'ENOTFOUND' })),
  });
  const { code, message } = await failure(none.fetch('http://a.test/'));
  assert.is(code, 'ENOTFOUND');
  assert.match(message, /a\.test: its address cannot be found/);
});

test('a cancelled fetch and a module that ends leave no connection behind', async () => {
  let closed = 0;
  const server = await serve((request) => void request.socket.on('close', () => closed++));
  const { fetch, ask, service } = open(`127.0.0.1:${server.port}`);
  const url = `http://127.0.0.1:${server.port}/`;
  const cancelled = failure(fetch(url, { id: 50 }));
  const ended = failure(fetch(url, { id: 51 }));
  await until(LIMIT_MS, 'both are there', () => server.seen.length === 2);
  await ask('cancel', { id: 50 });
  assert.is((await cancelled).code, 'ECANCELED');
  await until(LIMIT_MS, 'the connection is closed', () => closed === 1);
  service.close();
  assert.is((await ended).code, 'ECANCELED');
  await until(LIMIT_MS, 'the other, too', () => closed === 2);
  await server.close();
});

test('a connection is used again, and one the server closed meanwhile costs nothing', async () => {
  const sockets = new Set<unknown>();
  const server = await serve((request, response) => {
    sockets.add(request.socket);
    response.end('ok');
  });
  const { fetch } = open(`127.0.0.1:${server.port}`);
  const url = `http://127.0.0.1:${server.port}/`;
  for (let i = 0; i < 3; i++) {
    assert.is((await fetch(url)).status, 200);
    await new Promise(setImmediate);
  }
  assert.is(sockets.size, 1);
  for (const socket of sockets) (socket as { destroy(): void }).destroy();
  assert.is((await fetch(url)).status, 200);
  await server.close();
});

test('what the service does not know is refused', async () => {
  const { ask } = open('*:*');
  assert.is((await failure(ask('fly', null))).code, 'ENOSYS');
  assert.is((await failure(ask('fetch', null))).code, 'EINVAL');
  assert.is((await failure(ask('read', 5))).code, 'EBADF');
  assert.is((await failure(ask('trust', { pem: 'no' }))).code, 'EINVAL');
  assert.is(await ask('cancel', { id: 77 }), null);
});

test.run();
