import { gunzipSync } from 'node:zlib';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { Fault } from '../../src/core/fault.ts';
import type { BlobWrite } from '../../src/core/uploads.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { openBlobContainer } from '../../src/uploads/blob-container.ts';
import { type BlobServer, startBlobServer } from '../fakes/blob-server.ts';
import { within } from '../fakes/within.ts';

const test = suite<{ server: BlobServer }>('blob container');

const LIMIT_MS = 10_000;
const PIECE = 1_000;
const never = new AbortController().signal;

test.before.each(async (context) => {
  context.server = await startBlobServer();
});
test.after.each(async ({ server }) => {
  await server.close();
});

async function* content(...texts: readonly string[]): AsyncIterable<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

const blob = (change: Partial<BlobWrite> = {}): BlobWrite => ({
  name: 'hub.example/edge/m-2026-01-01--00-00-00.log',
  kind: 'block',
  contentType: 'text/plain',
  gzip: false,
  content: content('hello'),
  ...change,
});

function open(sasUrl: string, blobBytesMax = 100_000) {
  const deps = { clock: systemClock, random: () => 0, pausesMs: [5, 10, 15], requestMs: 300 };
  return openBlobContainer(sasUrl, deps, { pieceBytes: PIECE, blobBytesMax });
}

function write(server: BlobServer, what: BlobWrite, signal = never): Promise<void> {
  return within(LIMIT_MS, 'the upload', open(server.sasUrl).write(what, signal));
}

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  try {
    await promise;
  } catch (cause) {
    assert.instance(cause, Fault);
    return cause as Fault;
  }
  throw new Error('it was taken');
}

const long = 'x'.repeat(700);

for (const kind of ['block', 'append'] as const) {
  test(`${kind}: pieces of one size, put together in order`, async ({ server }) => {
    const texts = Array.from({ length: 20 }, (_, index) => `${index} ${long}\n`);
    await write(server, blob({ kind, content: content(...texts) }));
    const stored = server.blobs.get('hub.example/edge/m-2026-01-01--00-00-00.log');
    assert.is(stored?.content.toString(), texts.join(''));
    assert.is(stored?.type, kind === 'block' ? 'BlockBlob' : 'AppendBlob');
    const pieces = server.requests.filter((request) => /PUT (block|appendblock) /.test(request));
    assert.is(pieces.length, Math.ceil(texts.join('').length / PIECE));
  });

  test(`${kind}: compressed on its way, and says so`, async ({ server }) => {
    await write(server, blob({ kind, gzip: true, content: content(long, long) }));
    const [stored] = [...server.blobs.values()];
    assert.is(stored?.contentEncoding, 'gzip');
    assert.is(gunzipSync(stored?.content as Buffer).toString(), long + long);
  });

  test(`${kind}: nothing at all is an empty blob`, async ({ server }) => {
    await write(server, blob({ kind, content: content() }));
    assert.is([...server.blobs.values()][0]?.content.length, 0);
  });

  test(`${kind}: whatever happens to requests, no piece is missing or doubled`, async ({
    server,
  }) => {
    const texts = Array.from({ length: 6 }, (_, index) => `${index} ${long}`);
    server.trouble(
      { status: 503, code: 'ServerBusy' },
      undefined,
      'lost answer',
      'cut',
      undefined,
      { status: 500, code: 'OperationTimedOut' },
      'lost answer',
      undefined,
      'silence',
      { status: 429, code: 'TooManyRequests' },
      'cut',
    );
    await write(server, blob({ kind, content: content(...texts) }));
    const [stored] = [...server.blobs.values()];
    assert.is(stored?.content.toString(), texts.join(''));
  });
}

test('what stays away is tried so often, and said without the token', async ({ server }) => {
  const busy = { status: 503, code: 'ServerBusy' };
  server.trouble(busy, busy, busy, busy, busy);
  const fault = await faultOf(write(server, blob()));
  assert.is(fault.code, 'UPLOAD_FAILED');
  assert.is(server.requests.length, 4);
  assert.match(fault.message, /4 times \(503 ServerBusy\)/);
  assert.not(fault.message.includes('sig'));
});

test('a refusal is final, and says what to do', async ({ server }) => {
  const wrong = server.sasUrl.replace(/sig=.*/, 'sig=bm90LXJpZ2h0');
  const fault = await faultOf(open(wrong).write(blob(), never));
  assert.is(fault.code, 'UPLOAD_REFUSED');
  assert.match(fault.message, /403 AuthenticationFailed.*expired/);
  assert.not(fault.message.includes('bm90LXJpZ2h0'));
  assert.is(server.requests.length, 1);
  const elsewhere = server.sasUrl.replace('/logs?', '/nowhere?');
  assert.match((await faultOf(open(elsewhere).write(blob(), never))).message, /no such container/);
});

test('nobody there', async () => {
  const fault = await faultOf(
    within(LIMIT_MS, 'the end', open('http://127.0.0.1:1/logs?sig=secret').write(blob(), never)),
  );
  assert.is(fault.code, 'UPLOAD_FAILED');
  assert.match(fault.message, /127\.0\.0\.1:1\/logs\/hub.*ECONNREFUSED/);
  assert.not(fault.message.includes('secret'));
});

test('it is given up at once, also in a pause', async ({ server }) => {
  const busy = { status: 503, code: 'ServerBusy' };
  server.trouble(busy, 'silence');
  const control = new AbortController();
  const asked = faultOf(write(server, blob(), control.signal));
  setTimeout(() => control.abort(), 100);
  assert.is((await asked).code, 'UPLOAD_FAILED');
});

test('a blob has a bound, and a content that fails fails the upload', async ({ server }) => {
  const tooLong = open(server.sasUrl, 1_000).write(blob({ content: content(long, long) }), never);
  assert.match((await faultOf(tooLong)).message, /larger than 1000 bytes/);
  async function* failing(): AsyncIterable<Uint8Array> {
    yield Buffer.from('a');
    throw new Fault('DISK_FULL', 'as told');
  }
  for (const gzip of [false, true]) {
    const asked = write(server, blob({ kind: 'append', gzip, content: failing() }));
    assert.is((await faultOf(asked)).message, 'as told');
  }
});

test('a URL that is none of a container is refused before anything is asked', () => {
  for (const [url, words] of [
    ['', /is no URL/],
    ['logs?sig=x', /is no URL/],
    ['ftp://a/logs?sig=x', /is not http/],
    ['https://a/?sig=x', /names no container/],
    ['https://a/logs?sv=1', /has no signature/],
    ['https://me:secret@a/logs?sig=x', /has a user name/],
    [`https://a/logs?sig=${'x'.repeat(5_000)}`, /is no URL/],
  ] as const) {
    assert.throws(
      () => open(url),
      (cause: Fault) => cause.code === 'UPLOAD_REFUSED' && words.test(cause.message),
      url,
    );
  }
});

test.run();
