/** WebSockets of a module in a real isolate, with a real server on loopback. */
import type { AddressInfo } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type WebSocket as ServerSocket, WebSocketServer } from 'ws';
import { granted } from '../../host/network-kit.ts';
import { withHost } from './with-host.ts';

type Server = { readonly port: number; readonly close: () => Promise<void> };

/** Sends back what it gets, and does what its path says. */
async function echo(): Promise<Server> {
  const server = new WebSocketServer({
    port: 0,
    host: '127.0.0.1',
    handleProtocols: (protocols) => [...protocols].at(-1) ?? false,
  });
  server.on('connection', (socket: ServerSocket, request) => {
    if (request.url === '/flood') {
      for (let i = 0; i < 300; i++) socket.send(Buffer.alloc(50_000, i % 256));
      socket.close(1000, 'that was all');
      return;
    }
    if (request.url === '/large') socket.send(Buffer.alloc(1_048_577));
    if (request.url === '/leave') socket.close(4001, 'bye');
    if (request.url === '/drop') socket.terminate();
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
  });
  await new Promise((resolve) => server.on('listening', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const client of server.clients) client.terminate();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

type Context = { server: Server };
const test = suite<Context>('web socket');
test.before(async (context) => {
  context.server = await echo();
});
test.after(async ({ server }) => server.close());

/** What happens to one, as text. */
const watch = async ({ url, protocols }: { url: string; protocols?: string[] }) => {
  const told: string[] = [];
  const socket = new WebSocket(url, protocols);
  await new Promise<void>((resolve) => {
    socket.onopen = () => told.push(`open ${socket.protocol}`);
    socket.onerror = (event) => told.push(`error ${(event as ErrorEvent).message}`);
    socket.onmessage = (event) => told.push(`message ${String((event as MessageEvent).data)}`);
    socket.onclose = (event) => {
      const { code, reason, wasClean } = event as CloseEvent;
      told.push(`close ${code} ${reason} ${wasClean} ${socket.readyState}`);
      resolve();
    };
  });
  return told;
};

test('texts and bytes go there and come back, in order', async ({ server }) => {
  const grants = granted(`127.0.0.1:${server.port}`);
  const told = await withHost(
    async ({ url }) => {
      const told: unknown[] = [];
      const socket = new WebSocket(url, ['one', 'two']);
      told.push(socket.url, socket.readyState, socket.protocol, socket.binaryType);
      try {
        socket.send('early');
      } catch (error) {
        told.push((error as Error).name);
      }
      await new Promise((resolve) => socket.addEventListener('open', resolve));
      told.push(socket.readyState, socket.protocol, socket.extensions);
      const arrived = new Promise<unknown[]>((resolve) => {
        const all: unknown[] = [];
        socket.onmessage = (event) => {
          all.push((event as MessageEvent).data);
          if (all.length === 5) resolve(all);
        };
      });
      socket.binaryType = 'arraybuffer';
      socket.send('grüße \ud800');
      told.push(socket.bufferedAmount);
      socket.send(new Uint8Array([0, 255, 7]).subarray(1));
      socket.send(new Blob(['ab', 'c']));
      socket.send('');
      socket.send('x'.repeat(400_000));
      const all = await arrived;
      told.push(
        all.map((data) =>
          typeof data === 'string' ? data.slice(0, 20) : [...new Uint8Array(data as ArrayBuffer)],
        ),
        (all[4] as string).length,
      );
      await new Promise((resolve) => setTimeout(resolve, 5));
      told.push(socket.bufferedAmount);
      socket.binaryType = 'blob';
      socket.send(new ArrayBuffer(3));
      const blob = await new Promise((resolve) => {
        socket.onmessage = (event) => resolve((event as MessageEvent).data);
      });
      told.push(blob instanceof Blob, (blob as Blob).size);
      socket.send('last');
      const last = new Promise((resolve) => socket.addEventListener('close', resolve));
      socket.close(3333, 'done');
      told.push(socket.readyState);
      const { code, reason, wasClean } = (await last) as CloseEvent;
      told.push(code, reason, wasClean, socket.readyState);
      socket.close();
      socket.send('late');
      told.push(socket.bufferedAmount);
      return told;
    },
    { url: `ws://127.0.0.1:${server.port}/a?b` },
    { grants },
  );
  assert.equal(told, [
    `ws://127.0.0.1:${server.port}/a?b`,
    0,
    '',
    'blob',
    'InvalidStateError',
    1,
    'two',
    '',
    11,
    ['grüße \ufffd', [255, 7], [97, 98, 99], '', 'x'.repeat(20)],
    400_000,
    0,
    true,
    3,
    2,
    3333,
    'done',
    true,
    3,
    4,
  ]);
});

test('how it ends', async ({ server }) => {
  const grants = granted(`127.0.0.1:${server.port}`);
  const run = (path: string): Promise<string[]> =>
    withHost(watch, { url: `ws://127.0.0.1:${server.port}${path}` }, { grants });
  assert.equal(await run('/leave'), ['open ', 'close 4001 bye true 3']);
  assert.equal(await run('/drop'), [
    'open ',
    'error The connection was lost',
    'close 1006  false 3',
  ]);
  const [, , last] = await run('/large');
  assert.match(last ?? '', /^close (?:1006|1009)/);
});

test('more than a module keeps up with waits in the network', async ({ server }) => {
  const sizes = await withHost(
    async ({ url }) => {
      const socket = new WebSocket(url);
      socket.binaryType = 'arraybuffer';
      let count = 0;
      let sum = 0;
      await new Promise<void>((resolve) => {
        socket.onmessage = (event) => {
          const bytes = new Uint8Array((event as MessageEvent).data as ArrayBuffer);
          if (bytes[0] === count % 256) sum += bytes.length;
          count++;
        };
        socket.onclose = () => resolve();
      });
      return [count, sum];
    },
    { url: `ws://127.0.0.1:${server.port}/flood` },
    { grants: granted(`127.0.0.1:${server.port}`) },
  );
  assert.equal(sizes, [300, 300 * 50_000]);
});

test('what was not granted is refused, by name and by address', async ({ server }) => {
  const { port } = server;
  const cases: readonly (readonly [string, string])[] = [
    [`ws://127.0.0.1:${port}/`, 'example.com:443'],
    [`ws://localhost:${port}/`, `*:${port}`],
    [`ws://127.0.0.1:${port}/`, `127.0.0.1:${port + 1}`],
    [`wss://[::1]:${port}/`, `127.0.0.1:${port}`],
  ];
  for (const [url, grant] of cases) {
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    const told = await withHost(watch, { url }, { grants: granted(grant) });
    assert.match(told[0] as string, /^error EACCES: module m may not reach /, url);
    assert.is(told[1], 'close 1006  false 3');
  }
});

test('limits: sockets at once, and the size of a message', async ({ server }) => {
  const told = await withHost(
    async ({ url }) => {
      const told: unknown[] = [];
      const end = (socket: WebSocket): Promise<unknown> =>
        new Promise((resolve) => {
          socket.onerror = (event) => told.push((event as ErrorEvent).message.split(':')[0]);
          socket.onclose = (event) => resolve((event as CloseEvent).code);
        });
      const first = new WebSocket(url);
      const firstEnd = end(first);
      await new Promise((resolve) => first.addEventListener('open', resolve));
      told.push(await end(new WebSocket(url)));
      first.send(new Uint8Array(1_048_577));
      told.push(await firstEnd);
      const seen = told.slice();
      // Its place is free when the other side has heard.
      for (let tries = 0; tries < 200; tries++) {
        const last = new WebSocket(url);
        last.onopen = () => last.close();
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        const code = await end(last);
        if (code === 1005) return [...seen, code];
      }
      return seen;
    },
    { url: `ws://127.0.0.1:${server.port}/` },
    { grants: granted(`127.0.0.1:${server.port}`), settings: { webSocketsMax: 1 } },
  );
  assert.equal(told, ['EMFILE', 1006, 'EMSGSIZE', 1006, 1005]);
});

test('mistakes are told where they are made', async () => {
  const told = await withHost(() => {
    const kind = (run: () => unknown): string => {
      try {
        run();
        return 'fine';
      } catch (error) {
        return (error as Error).name;
      }
    };
    const one = new WebSocket('http://127.0.0.1:1/');
    return [
      one.url,
      kind(() => new (WebSocket as never as new () => object)()),
      kind(() => new WebSocket('nothing')),
      kind(() => new WebSocket('ftp://a/')),
      kind(() => new WebSocket('ws://a/#b')),
      kind(() => new WebSocket('ws://a/', ['a', 'A'])),
      kind(() => new WebSocket('ws://a/', 'a b')),
      kind(() => one.close(1001)),
      kind(() => one.close(3000, 'x'.repeat(124))),
      kind(() => one.close()),
      one.readyState,
      [WebSocket.OPEN, one.CLOSED],
    ];
  });
  assert.equal(told, [
    'ws://127.0.0.1:1/',
    'TypeError',
    ...Array.from({ length: 5 }, () => 'SyntaxError'),
    'InvalidAccessError',
    'SyntaxError',
    'fine',
    2,
    [1, 3],
  ]);
});

test('closed before it is open, and nobody there', async () => {
  const told = await withHost(
    async ({ url }) => {
      const told: string[] = [];
      const early = new WebSocket(url);
      early.close();
      const late = new WebSocket(url);
      await Promise.all(
        [early, late].map(
          (socket) =>
            new Promise<void>((resolve) => {
              socket.onerror = (event) => told.push((event as ErrorEvent).message.slice(0, 24));
              socket.onclose = (event) => {
                told.push(`${(event as CloseEvent).code}`);
                resolve();
              };
            }),
        ),
      );
      return told;
    },
    { url: 'ws://127.0.0.1:1/' },
    { grants: granted('127.0.0.1:1') },
  );
  assert.equal(told, ['It was closed before it ', '1006', 'ECONNREFUSED: WebSocket ', '1006']);
});

test.run();
