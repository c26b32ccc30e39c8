/** `HostConfig.Dns`: names asked of a name server, a real one on loopback. */
import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { systemResolve } from '../../src/host/network-access.ts';
import { within } from '../fakes/within.ts';

const LIMIT_MS = 10_000;
const test = suite('name server');

/** Knows a.test as 192.0.2.7, and nothing else. */
async function serveNames(): Promise<{ port: number; asked: string[]; close(): void }> {
  const asked: string[] = [];
  const socket = createSocket('udp4', (query, from) => {
    const end = query.indexOf(0, 12);
    const labels: string[] = [];
    for (let at = 12; at < end; at += 1 + (query[at] as number)) {
      labels.push(query.toString('latin1', at + 1, at + 1 + (query[at] as number)));
    }
    const name = labels.join('.');
    asked.push(name);
    const wanted = query.readUInt16BE(end + 1);
    const question = query.subarray(12, end + 5);
    const known = name === 'a.test';
    const answered = known && wanted === 1;
    const head = Buffer.from(query.subarray(0, 12));
    head.writeUInt16BE(known ? 0x8180 : 0x8183, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(answered ? 1 : 0, 6);
    head.fill(0, 8);
    const record = Buffer.from('c00c00010001000000010004c0000207', 'hex');
    socket.send(Buffer.concat([head, question, answered ? record : Buffer.alloc(0)]), from.port);
  });
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve));
  return { port: socket.address().port, asked, close: () => socket.close() };
}

test('the servers of the deployment are asked, for both kinds of address', async () => {
  const server = await serveNames();
  const resolve = systemResolve([`127.0.0.1:${server.port}`]);
  assert.equal(await within(LIMIT_MS, 'a.test', resolve('a.test')), ['192.0.2.7']);
  assert.equal(new Set(server.asked), new Set(['a.test']));
  const none = within(LIMIT_MS, 'b.test', resolve('b.test'));
  assert.is(await none.catch((cause: { code: string }) => cause.code), 'ENOTFOUND');
  server.close();
});

test('without any, the device resolves as it always does', async () => {
  const found = await within(LIMIT_MS, 'localhost', systemResolve([])('localhost'));
  assert.ok(found.length > 0 && found.every((address) => isIP(address) !== 0), found.join());
});

test.run();
