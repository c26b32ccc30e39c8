/** Headers, bodies, requests, answers and signals as module code has them, where no network is needed. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { AbortController, AbortSignal } from '../../src/guest/web/abort.ts';
import { Headers } from '../../src/guest/web/headers.ts';
import { Request } from '../../src/guest/web/request.ts';
import { Response } from '../../src/guest/web/response.ts';
import { until } from '../fakes/within.ts';

const test = suite('web');

function message(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    assert.instance(error, TypeError);
    return (error as Error).message;
  }
  throw new Error('it was taken');
}

test('headers: any case, joined, in order, clean', () => {
  const headers = new Headers([
    ['B', ' 1\t'],
    ['a', '2'],
    ['b', '3'],
  ]);
  assert.equal(
    [...headers],
    [
      ['a', '2'],
      ['b', '1, 3'],
    ],
  );
  assert.equal(
    [[...headers.keys()], [...headers.values()]],
    [
      ['a', 'b'],
      ['2', '1, 3'],
    ],
  );
  const seen: string[] = [];
  headers.forEach((value, name) => seen.push(`${name}=${value}`));
  assert.equal(seen, ['a=2', 'b=1, 3']);
  headers.set('A', '9');
  headers.delete('B');
  assert.equal([headers.get('a'), headers.get('b'), headers.has('b')], ['9', null, false]);
  assert.equal([...new Headers(headers)], [['a', '9']]);
  assert.equal([...new Headers({ n: 5 })], [['n', '5']]);
  assert.is(
    new Headers([
      ['cookie', 'a'],
      ['cookie', 'b'],
    ]).get('Cookie'),
    'a; b',
  );
  for (const value of ['a\r\nb', 'a\nb', 'a\0', 'ā', 'a\rb']) {
    assert.match(
      message(() => headers.set('x', value)),
      'no header can have',
    );
  }
  for (const name of ['', 'a b', 'a:', 'a\n', 'ä']) {
    assert.match(
      message(() => headers.get(name)),
      /no name of a header|no header can have/,
    );
  }
});

test('a request is what its input and its init say', async () => {
  const one = new Request('http://a/', { method: 'post', body: 'ü', headers: { a: 'b' } });
  assert.equal([one.method, one.url, one.redirect], ['POST', 'http://a/', 'follow']);
  assert.equal(
    [...one.headers],
    [
      ['a', 'b'],
      ['content-type', 'text/plain;charset=UTF-8'],
    ],
  );
  const two = new Request(one, { method: 'PUT', redirect: 'error' });
  assert.equal([two.method, two.redirect, (await two.bytes()).length], ['PUT', 'error', 2]);
  assert.is(one.bodyUsed, true, 'its body is the other one now');
  assert.match(
    message(() => new Request(one)),
    'already been read',
  );
  const form = new Request('http://a', { method: 'POST', body: new URLSearchParams({ a: 'b c' }) });
  assert.match(form.headers.get('content-type') ?? '', 'x-www-form-urlencoded');
  assert.is(await form.text(), 'a=b+c');
  const bytes = new Uint8Array([1, 2, 3, 4]).subarray(1, 3);
  const sent = new Request('http://a', { method: 'POST', body: bytes });
  bytes[0] = 9;
  assert.equal([...(await sent.bytes())], [2, 3], 'what was given may be changed afterwards');
  const withBody = { body: 'x' };
  assert.match(
    message(() => new Request('http://a', { ...withBody, method: 'head' })),
    'method HEAD has no body',
  );
});

test('a response made by hand', async () => {
  const made = Response.json({ a: 1 }, { status: 404 });
  assert.equal(
    [made.ok, made.status, made.headers.get('content-type')],
    [false, 404, 'application/json'],
  );
  assert.equal(await made.json(), { a: 1 });
  assert.is(made.bodyUsed, true);
  assert.is(new Response(null).body, null);
  assert.is(await new Response().text(), '');
  assert.is(await new Response('\ufeffa').text(), 'a');
  const broken = await new Response('{').json().catch((error: Error) => error.name);
  assert.is(broken, 'SyntaxError');
  const cancelled = new Response('abc');
  await cancelled.body?.cancel();
  assert.is(cancelled.bodyUsed, true);
  assert.throws(() => new Response('', { status: 99 }), 'from 200 to 599');
});

test('signals fire once, tell each listener, and carry their reason', async () => {
  const controller = new AbortController();
  const { signal } = controller;
  const told: string[] = [];
  signal.onabort = ({ type, target }) => told.push(`${type} ${target === signal}`);
  const removed = (): unknown => told.push('removed');
  signal.addEventListener('abort', removed);
  signal.removeEventListener('abort', removed);
  signal.addEventListener('abort', { handleEvent: () => told.push('object') });
  signal.addEventListener('other', () => told.push('other'));
  const any = AbortSignal.any([new AbortController().signal, signal]);
  signal.throwIfAborted();
  controller.abort();
  controller.abort('again');
  assert.equal(told, ['abort true', 'object']);
  assert.is((signal.reason as Error).name, 'AbortError');
  assert.is(any.reason, signal.reason);
  assert.is(AbortSignal.any([any]).aborted, true);
  assert.throws(() => signal.throwIfAborted(), 'aborted');
  assert.is(AbortSignal.abort('why').reason, 'why');
  assert.match(
    message(() => new AbortSignal()),
    'Illegal constructor',
  );
  const late = AbortSignal.timeout(1);
  await until(10_000, 'the timeout', () => late.aborted);
  assert.is((late.reason as Error).name, 'TimeoutError');
});

test.run();
