/**
 * Request, Response and `fetch` of what is the module's own, in a real isolate. Node is the witness where it
 * follows the standards; where it does not, the answer is written here.
 */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { agreeWithNode, withHost } from './with-host.ts';

const test = suite('what fetch is made of, in the guest');

test('Request: every member of its second argument, copies and signals', async () => {
  await agreeWithNode(async () => {
    const told: Record<string, unknown> = {};
    const tell = async (name: string, run: () => unknown): Promise<void> => {
      told[name] = await (async () => run())().catch((error: Error) => error.name);
    };
    const make = (...given: unknown[]): Request =>
      Reflect.construct(Request, ['http://h.test/p', ...given]) as Request;
    const state = (request: Request): unknown => {
      const { method, url, mode, credentials, cache, redirect, referrer, referrerPolicy } = request;
      const { integrity, keepalive, destination, bodyUsed, body, headers } = request;
      const words = [method, url, mode, credentials, cache, redirect, referrer, referrerPolicy];
      return [...words, integrity, keepalive, destination, bodyUsed, body === null, [...headers]];
    };
    const members: Readonly<Record<string, readonly unknown[]>> = {
      method: ['get', 'CONNECT', 'trace', 'a b', '', null, undefined, 'post', 'é', 'Own'],
      mode: ['cors', 'navigate', 'no-cors', 'same-origin', 'x', '', undefined],
      credentials: ['omit', 'include', 'x', null],
      cache: ['no-store', 'only-if-cached', 'bad'],
      redirect: ['error', 'manual', 'x'],
      referrer: ['', 'about:client', 'http://:x'],
      referrerPolicy: ['', 'origin', 'x'],
      integrity: ['abc', 5],
      keepalive: [true, 0],
      window: [null, 'x', undefined],
      duplex: ['half', 'full', 'x'],
      priority: ['high', 'x'],
      signal: [null, undefined, {}, 5],
      headers: [null, undefined, 5, [['a']], { 'x-a': 'b' }],
      body: ['x', null, undefined],
    };
    for (const [name, values] of Object.entries(members)) {
      for (const value of values) {
        await tell(`${name} ${String(value)}`, () => state(make({ [name]: value })));
      }
    }
    const bodies: readonly unknown[] = [
      '',
      5,
      new URLSearchParams('a=b'),
      new Blob(['x'], { type: 'q/q' }),
      new Blob(['x']),
      new Uint8Array(2),
      new ArrayBuffer(1),
      Symbol('no'),
      [1, 2],
    ];
    for (const [index, body] of bodies.entries()) {
      await tell(`body ${index}`, () => state(make({ method: 'POST', body })));
    }
    for (const init of [null, 5, 'x']) await tell(`init ${String(init)}`, () => state(make(init)));
    const copies: Readonly<Record<string, (one: Request) => unknown>> = {
      same: (one) => [state(new Request(one)), one.bodyUsed],
      other: (one) =>
        state(new Request(one, { method: 'PUT', body: 'other', headers: { q: 'r' } })),
      get: (one) => state(new Request(one, { method: 'GET' })),
      twice: (one) => [new Request(one).text(), new Request(one)],
      clone: async (one) => [await one.clone().text(), one.bodyUsed, await one.text()],
      read: async (one) => [await one.text(), state(one), one.clone()],
      locked: (one) => [one.body?.getReader().closed, one.bodyUsed, new Request(one)],
    };
    for (const [name, run] of Object.entries(copies)) {
      await tell(name, () => run(make({ method: 'POST', body: 'xyz', headers: { 'x-y': 'z' } })));
    }
    await tell('signals', () => {
      const abort = new AbortController();
      const one = make({ signal: abort.signal });
      const all = [one.clone(), new Request(one), new Request(one, { signal: null })];
      abort.abort('why');
      const seen = all.map(({ signal }) => [signal.aborted, signal.reason as unknown]);
      return [seen, one.signal === abort.signal, new Request(one).signal.aborted];
    });
    return told;
  });
});

test('Response: status, bodies, how they are read, and the ones fetch makes of itself', async () => {
  await agreeWithNode(async () => {
    const told: Record<string, unknown> = {};
    const tell = async (name: string, run: () => unknown): Promise<void> => {
      told[name] = await (async () => run())().catch((error: Error) => error.name);
    };
    const state = (response: Response): unknown => {
      const { type, url, redirected, status, ok, statusText, headers, body, bodyUsed } = response;
      const words = [type, url, redirected, status, ok, statusText];
      return [...words, [...headers], body === null, bodyUsed];
    };
    const make = (...given: unknown[]): Response => Reflect.construct(Response, given) as Response;
    const inits: readonly unknown[] = [
      undefined,
      null,
      {},
      5,
      ...[199, 200, 599, 600, 0, 65_736, '404', null, 101, 204, 205, 304, 200.9].map((status) => ({
        status,
      })),
      ...['\n', 'Ā', 'é', null, 'a\tb'].map((statusText) => ({ statusText })),
      { headers: 5 },
      { headers: [['a']] },
      { headers: { 'content-type': 'x' } },
    ];
    for (const [index, init] of inits.entries()) {
      await tell(`none ${index}`, () => state(make(null, init)));
      await tell(`text ${index}`, () => state(make('x', init)));
    }
    for (const name of ['text', 'json', 'arrayBuffer', 'blob', 'bytes', 'formData'] as const) {
      for (const body of [null, '', '\uFEFF{"a":1}', 'bad']) {
        await tell(`${name} of ${body}`, async () => {
          const response = new Response(body);
          const value = await response[name]().catch((error: Error) => error.name);
          const again = await response.text().catch((error: Error) => error.name);
          return [response.bodyUsed, value instanceof Blob ? value.size : value, again];
        });
      }
    }
    for (const chunk of [
      'text',
      5,
      null,
      {},
      new ArrayBuffer(2),
      new Uint16Array(1),
      new Uint8Array(2),
    ]) {
      await tell(`a stream of ${Object.prototype.toString.call(chunk)}`, async () => {
        const stream = new ReadableStream({
          start(controller) {
            controller.enqueue(chunk);
            controller.close();
          },
        });
        return [...(await new Response(stream).bytes())];
      });
    }
    for (const status of [undefined, 301, 307, 200, 304, 0]) {
      await tell(`redirect ${status}`, () => state(Response.redirect('http://x/é', status as 302)));
    }
    for (const value of [{ a: 1 }, 'x', null, undefined, () => 1, 1n, '\ud800']) {
      await tell(`json ${typeof value} ${String(value)}`, async () => {
        const response = Response.json(value, { status: 201, headers: { a: 'b' } });
        return [state(response), await response.text()];
      });
    }
    await tell('error', () => [state(Response.error()), state(Response.error().clone())]);
    await tell('immutable', () => Response.error().headers.set('a', 'b'));
    await tell('cancelled', async () => {
      const response = new Response('x');
      await response.body?.cancel();
      return [response.bodyUsed, await response.text()];
    });
    await tell('texts as they come', async () => {
      const all: unknown[] = [];
      const bytes = new Uint8Array([0xef, 0xbb, 0xbf, 65, 0xff]);
      const sources = [
        new Response('a\uFEFFé'),
        new Response(bytes),
        new Response(),
        new Blob(['ab']),
      ];
      for (const source of sources as { textStream(): AsyncIterable<string> }[]) {
        let text = '';
        for await (const piece of source.textStream()) text += piece;
        all.push(text);
      }
      return all;
    });
    for (const url of [
      'data:,Hi%20x',
      'data:text/html;base64,SGk=',
      'data:;charset=x,a',
      'data:',
      'data:,x#y',
    ]) {
      await tell(url, async () => {
        const response = await fetch(url);
        return [state(response), await response.text()];
      });
    }
    await tell('HEAD', async () => (await fetch('data:,x', { method: 'HEAD' })).text());
    for (const url of ['nope', 'http://u:p@h/', 'ftp://x/', 'about:blank', 'file:///x', 'blob:x']) {
      await tell(url, () => fetch(url));
    }
    for (const range of [
      '',
      'bytes=1-2',
      'bytes=-2',
      'bytes=3-',
      'bytes=9-',
      'bytes=3-1',
      'bytes=1-2,3-4',
    ]) {
      await tell(`a Blob's ${range}`, async () => {
        const url = URL.createObjectURL(new Blob(['abcdef'], { type: 'q/q' }));
        const response = await fetch(url, { headers: range === '' ? {} : { range } });
        return [response.status, [...response.headers], await response.text()];
      });
    }
    return told;
  });
});

test('where Node strays from the standards, or we do', async () => {
  const told = await withHost(async () => {
    const name = async (run: () => unknown): Promise<unknown> =>
      (async () => run())().catch((error: Error) => error.name);
    const bigint = { status: 200n } as unknown as ResponseInit;
    return [
      new File([], 'x', { lastModified: 5.7 }).lastModified,
      new File([], 'x', { lastModified: null as never }).lastModified,
      await name(() => new Response('', bigint)),
      new Request('http://h/', { referrer: 'http://elsewhere/' }).referrer,
      new Request('http://h/', { method: 'patch' }).method,
      await new Response({} as never).text(),
      [...new Headers((() => {}) as never)],
    ];
  });
  assert.equal(told, [5, 0, 'TypeError', 'about:client', 'patch', '[object Object]', []]);
});

test.run();
