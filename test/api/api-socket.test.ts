import { mkdtempSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openApiSocket } from '../../src/api/api-socket.ts';
import type { Resource } from '../../src/api/http-api.ts';
import { ask, listen } from '../../src/cli/api-client.ts';
import { Fault } from '../../src/core/fault.ts';
import { within } from '../fakes/within.ts';

const test = suite('local api');

const newSocket = (): string => join(mkdtempSync(join(tmpdir(), 'isolet-api-')), 'api.sock');

async function* parts(lines: readonly unknown[]): AsyncIterable<readonly unknown[]> {
  yield lines;
}

const followers = new Set<(value: unknown) => void>();
const resources: readonly Resource[] = [
  { path: '/status', answer: () => ({ kind: 'json', value: { fine: true } }) },
  {
    path: '/modules/:name/logs',
    answer: ({ name }, query) =>
      name === 'absent'
        ? { kind: 'absent', message: 'there is no module "absent" here' }
        : {
            kind: 'lines',
            lines: parts([{ name, tail: query.get('tail') }]),
            follow: query.has('follow')
              ? (line) => {
                  followers.add(line);
                  return () => followers.delete(line);
                }
              : undefined,
          },
  },
];

async function fault(promise: Promise<unknown>): Promise<Fault> {
  try {
    await within(5_000, 'an answer', promise);
  } catch (cause) {
    if (cause instanceof Fault) return cause;
    throw cause;
  }
  throw new Error('nothing was wrong');
}

test('answers JSON, and lines', async () => {
  const path = newSocket();
  const api = await openApiSocket(path, resources);
  assert.equal(await ask(path, '/status'), { fine: true });
  const lines: string[] = [];
  await listen(path, '/modules/a%20b/logs?tail=3', (line) => lines.push(line));
  assert.equal(lines, ['{"name":"a b","tail":"3"}']);
  await api.close();
});

test('says what is not there, and what is', async () => {
  const path = newSocket();
  const api = await openApiSocket(path, resources);
  assert.match(
    (await fault(ask(path, '/nothing'))).message,
    '/nothing is not served here; there is /status',
  );
  assert.match((await fault(ask(path, '/modules/absent/logs'))).message, 'no module "absent"');
  assert.match((await fault(ask(path, '/modules/%zz/logs'))).message, 'is not served here');
  assert.match((await fault(ask(path, '//'))).message, 'is no path');
  await api.close();
  assert.is((await fault(ask(path, '/status'))).code, 'ENDPOINT_AWAY');
});

test('follows until the caller hangs up, or we do', async () => {
  const path = newSocket();
  const api = await openApiSocket(path, resources);
  const lines: string[] = [];
  const second = Promise.withResolvers<void>();
  const following = listen(path, '/modules/m/logs?follow', (line) => {
    lines.push(line);
    if (lines.length === 2) second.resolve();
    else for (const tell of followers) tell({ new: true });
  });
  await within(5_000, 'a new line', second.promise);
  assert.is(lines[1], '{"new":true}');
  await api.close();
  await within(5_000, 'the end', following);
  assert.is(followers.size, 0);
});

test('only reads', async () => {
  const path = newSocket();
  const api = await openApiSocket(path, resources);
  const status = await within(
    5_000,
    'an answer',
    new Promise((resolve) => {
      const asked = request({ socketPath: path, path: '/status', method: 'DELETE' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      asked.end();
    }),
  );
  assert.is(status, 405);
  await api.close();
});

test('rubbish costs only its own connection', async () => {
  const path = newSocket();
  const api = await openApiSocket(path, resources);
  const socket = connect(path);
  socket.write('\u0000\u0001 not http at all\r\n\r\n');
  await within(
    5_000,
    'it is closed',
    new Promise((resolve) => socket.on('close', resolve).resume()),
  );
  assert.equal(await ask(path, '/status'), { fine: true });
  await api.close();
});

test('a socket somebody serves is not taken; one left behind is', async () => {
  const path = newSocket();
  const api = await openApiSocket(path, resources);
  assert.is((await fault(openApiSocket(path, resources))).code, 'PORT_TAKEN');
  await api.close();
  writeFileSync(path, '');
  const again = await openApiSocket(path, resources);
  assert.equal(await ask(path, '/status'), { fine: true });
  await again.close();
});

test.run();
