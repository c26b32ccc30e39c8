/** An HTTP server in a module, asked by real clients: what it can do. */
import { Agent, get, type IncomingMessage } from 'node:http';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until, within } from '../fakes/within.ts';
import { withHttp } from './http-module.ts';

const LIMIT_MS = 10_000;
const test = suite('http server');

/** Says what it was asked, as an unmodified Node program would. */
const ECHO = `
  import http from 'node:http';
  const server = http.createServer((req, res) => {
    const chunks = [];
    req.on('data', (chunk) => chunks.push(chunk));
    req.on('end', () => {
      const body = Buffer.concat(chunks);
      if (req.url === '/raw') return void res.end(body);
      res.setHeader('Content-Type', 'application/json');
      res.setHeader('Set-Cookie', ['a=1', 'b=2']);
      res.statusCode = req.method === 'POST' ? 201 : 200;
      res.end(JSON.stringify({
        method: req.method, url: req.url, headers: req.headers, raw: req.rawHeaders.length,
        text: body.toString(), remote: req.socket.remoteAddress, version: req.httpVersion,
      }));
    });
  });
  server.on('listening', () => console.log('listening', JSON.stringify(server.address())));
  server.listen(8080);
`;

test('method, url, headers and body reach the module, and its answer the client', () =>
  withHttp(ECHO, async ({ url, log }) => {
    assert.match(await log('listening'), '{"address":"::","family":"IPv6","port":8080}');
    const answer = await fetch(`${url}/a?b=ö`, {
      method: 'POST',
      body: 'grüße\u0001',
      headers: { 'X-One': '1', Cookie: 'c=3' },
    });
    assert.equal([answer.status, answer.statusText], [201, 'Created']);
    assert.equal(answer.headers.getSetCookie(), ['a=1', 'b=2']);
    assert.ok(answer.headers.get('content-length') !== null);
    assert.ok(answer.headers.get('date') !== null);
    const said = (await answer.json()) as Record<string, unknown>;
    assert.equal(
      [said['method'], said['url'], said['text'], said['remote'], said['version']],
      ['POST', '/a?b=%C3%B6', 'grüße\u0001', '127.0.0.1', '1.1'],
    );
    const headers = said['headers'] as Record<string, string>;
    assert.equal([headers['x-one'], headers['cookie']], ['1', 'c=3']);
  }));

test('bytes that are no text, and bodies of all sizes, go through as they are', () =>
  withHttp(ECHO, async ({ url }) => {
    for (const size of [0, 1, 255, 49_152, 49_153, 131_072, 1_000_000]) {
      const body = Buffer.alloc(size);
      for (let i = 0; i < size; i++) body[i] = (i * 7) % 256;
      const answer = await fetch(`${url}/raw`, { method: 'PUT', body });
      assert.is(Buffer.compare(Buffer.from(await answer.arrayBuffer()), body), 0, `${size} bytes`);
    }
    const text = 'ä\u{1f600}'.repeat(100_000);
    assert.is(await (await fetch(`${url}/raw`, { method: 'PUT', body: text })).text(), text);
  }));

test('two hundred requests at once, answered in the order the module chooses', () =>
  withHttp(
    `import { createServer } from 'http';
    const waiting = [];
    createServer((req, res) => {
      waiting.push([Number(req.url.slice(1)), res]);
      if (waiting.length < 200) return;
      waiting.sort(([a], [b]) => b - a);
      for (const [number, res] of waiting) res.end(String(number));
    }).listen(8080);`,
    async ({ url }) => {
      const agent = new Agent({ maxSockets: 200 });
      const order: number[] = [];
      await within(
        LIMIT_MS,
        'all answers',
        Promise.all(
          Array.from({ length: 200 }, async (_, index) => {
            const text = await textOf(await got(`${url}/${index}`, agent));
            assert.is(text, String(index));
            order.push(index);
          }),
        ),
      );
      assert.is(order.length, 200);
      agent.destroy();
    },
  ));

test('one connection serves many requests', () =>
  withHttp(ECHO, async ({ url }) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    for (let i = 0; i < 20; i++) {
      const answer = await got(url, agent);
      ports.add(answer.socket.localPort);
      await textOf(answer);
    }
    assert.is(ports.size, 1);
    agent.destroy();
  }));

test('server-sent events arrive one by one, and the module hears when the client leaves', () =>
  withHttp(
    `import http from 'node:http';
    http.createServer((req, res) => {
      res.writeHead(200, { 'Content-Type': 'text/event-stream' });
      let count = 0;
      const timer = setInterval(() => res.write('data: ' + ++count + '\\n\\n'), 10);
      req.on('close', () => { clearInterval(timer); console.log('left', res.destroyed); });
    }).listen(8080);`,
    async ({ url, log }) => {
      const answer = await got(url);
      assert.is(answer.headers['content-type'], 'text/event-stream');
      let text = '';
      answer.on('data', (chunk: Buffer) => (text += chunk.toString()));
      answer.on('error', () => {});
      await until(LIMIT_MS, 'three events', () => text.includes('data: 3\n\n'));
      assert.not.match(text, 'data: 50');
      answer.destroy();
      assert.is(await log('left'), 'left true');
    },
  ));

test('a slow client holds the module back, and all arrives', () =>
  withHttp(
    `import http from 'node:http';
    http.createServer(async (req, res) => {
      let waits = 0;
      for (let i = 0; i < 2000; i++) {
        if (!res.write(Buffer.alloc(10_000, i % 256))) {
          waits++;
          await new Promise((resolve) => res.once('drain', resolve));
        }
        if (i === 1000) console.log('halfway');
      }
      res.end(() => console.log('all', waits > 10));
    }).listen(8080);`,
    async ({ url, log, logs }) => {
      const answer = await got(url);
      await new Promise((resolve) => setTimeout(resolve, 500));
      assert.not.ok(logs().includes('halfway'), 'it waits');
      let size = 0;
      for await (const chunk of answer) size += (chunk as Buffer).length;
      assert.is(size, 20_000_000);
      assert.is(await log('all'), 'all true');
    },
  ));

test('what programs for Node use of requests and answers is there', () =>
  withHttp(
    `import http, { createServer, STATUS_CODES, METHODS } from 'node:http';
    const routes = {
      async '/iterate'(req, res) { let text = ''; req.setEncoding('utf8'); for await (const part of req) text += part; res.end(text); },
      '/pipe'(req, res) { res.writeHead(200, 'Fine', ['X-A', '1', 'X-B', '2']); req.pipe(res); },
      '/empty'(req, res) { res.writeHead(204).end(); },
      '/headers'(req, res) {
        res.setHeader('X-Case', 'a'); res.appendHeader('x-case', 'b'); res.setHeader('gone', '1'); res.removeHeader('Gone');
        res.end(JSON.stringify([res.getHeader('X-CASE'), res.getHeaderNames(), res.hasHeader('gone'), res.headersSent]));
      },
      '/late'(req, res) { res.write('a'); try { res.setHeader('x', 'y'); } catch (error) { res.end(error.code); } },
      '/after'(req, res) { res.end('x', () => console.log('finished', res.writableFinished)); res.on('error', (error) => console.log(error.code)); res.write('more'); },
      '/flush'(req, res) { res.flushHeaders(); setTimeout(() => res.end('later'), 20); },
      '/status'(req, res) { try { res.writeHead(99); } catch (error) { res.end(error.code); } },
      '/destroy'(req, res) { req.destroy(); },
    };
    const server = createServer();
    server.on('request', (req, res) => routes[req.url](req, res));
    console.log(STATUS_CODES[404], METHODS.includes('PATCH'), server instanceof http.Server);
    for (const attempt of [() => http.get('http://x'), () => server.on('upgrade', () => {}), () => server.listen('/tmp/x')]) {
      try { attempt(); } catch (error) { console.log(error.message); }
    }
    server.listen({ port: 8080, host: '0.0.0.0' }, () => console.log(JSON.stringify(server.address())));`,
    async ({ url, log, logs }) => {
      const post = (path: string) => fetch(url + path, { method: 'POST', body: 'grün' });
      assert.is(await (await post('/iterate')).text(), 'grün');
      const piped = await post('/pipe');
      assert.equal(
        [await piped.text(), piped.statusText, piped.headers.get('x-b')],
        ['grün', 'Fine', '2'],
      );
      const empty = await fetch(`${url}/empty`);
      assert.equal(
        [empty.status, await empty.text(), empty.headers.get('content-length')],
        [204, '', null],
      );
      const text = async (path: string) => (await fetch(url + path)).text();
      assert.is(await text('/headers'), '[["a","b"],["x-case"],false,false]');
      assert.is(await text('/late'), 'aERR_HTTP_HEADERS_SENT');
      assert.is(await text('/after'), 'x');
      assert.is(await text('/flush'), 'later');
      assert.is(await text('/status'), 'ERR_HTTP_INVALID_STATUS_CODE');
      assert.is((await failure(fetch(`${url}/destroy`))).name, 'TypeError');
      await log('finished true');
      await log('ERR_STREAM_WRITE_AFTER_END');
      assert.equal(logs().slice(0, 4), [
        'Not Found true true',
        'A module has no http.get: use fetch.',
        'A module has no protocol upgrades (WebSocket): its HTTP server answers plain requests.',
        'A module has no Unix sockets to listen on: listen on a port of HostConfig.PortBindings.',
      ]);
      await log('{"address":"0.0.0.0","family":"IPv4","port":8080}');
    },
  ));

test('a server closes, answers what is under way, and listens again', () =>
  withHttp(
    `import http from 'node:http';
    let rounds = 0;
    const server = http.createServer((req, res) => {
      if (req.url === '/next') {
        server.close(() => { console.log('closed'); server.listen(8080, () => console.log('again', ++rounds)); });
        setTimeout(() => res.end('answered'), 30);
      } else res.end('here ' + rounds);
    });
    server.listen(8080);`,
    async ({ url, log, logs }) => {
      assert.is(await (await fetch(`${url}/next`)).text(), 'answered');
      await log('again 1');
      const lines = logs().filter((line) => line.includes('is port'));
      const [, port] = /is port (\d+)/.exec(lines[1] as string) ?? [];
      assert.is(await (await fetch(`http://127.0.0.1:${port}/`)).text(), 'here 1');
    },
  ));

test('a module that asks the device for too much besides loses no answer', () =>
  withHttp(
    `import http from 'node:http';
    import { readFile } from 'node:fs/promises';
    http.createServer((req, res) => {
      for (let i = 0; i < 200; i++) readFile('/none', 'utf8').catch(() => {});
      res.end('answered');
    }).listen(8080);`,
    async ({ url }) => {
      for (let i = 0; i < 3; i++) assert.is(await (await fetch(url)).text(), 'answered');
    },
  ));

function got(url: string, agent?: Agent): Promise<IncomingMessage> {
  return within(
    LIMIT_MS,
    url,
    new Promise((resolve, reject) => {
      get(url, agent === undefined ? { agent: false } : { agent }, resolve).on('error', reject);
    }),
  );
}

async function textOf(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer) text += String(chunk);
  return text;
}

async function failure(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected a rejection');
}

test.run();
