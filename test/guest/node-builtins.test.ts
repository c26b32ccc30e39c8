/** Node's builtins in the guest, against Node's own: each snippet must print the same in both. */
import { createRequire } from 'node:module';
import { format } from 'node:util';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { until } from '../fakes/within.ts';
import { withBuilt } from './built-box.ts';

const test = suite('node builtins');
const AsyncFunction = (async () => {}).constructor as FunctionConstructor;

/** What it prints in the Node this test runs in. */
async function inNode(source: string): Promise<string[]> {
  const lines: string[] = [];
  const log = (...values: unknown[]): void => void lines.push(format(...values));
  const run = new AsyncFunction('require', 'console', source) as unknown as (
    ...args: unknown[]
  ) => Promise<void>;
  await run(createRequire(import.meta.url), { log, error: log });
  return lines;
}

/** Printed at the end. */
const END = '(end)';

const same = (name: string, source: string): void =>
  test(name, async () => {
    const expected = [...(await inNode(source)), END];
    const main = `(async () => {${source}\n})().then(() => console.log('${END}'), (error) => console.log(error.stack));`;
    await withBuilt({ 'main.js': main }, async (box) => {
      const isOver = (): boolean =>
        box.logs().length >= expected.length || box.logs().includes(END);
      while (!isOver() && (box.batches.at(-1)?.timerMs ?? -1) >= 0) await box.tick();
      await until(2_000, 'its end', () => isOver() || undefined).catch(() => undefined);
      assert.equal(box.logs(), expected);
    });
  });

// As JSON: how texts are broken into lines is for the tests of `inspect`.
const caught = `const caught = (run) => { try { return run(); } catch (error) { return JSON.stringify([error.name, error.code, error.message]); } };`;

same(
  'events',
  `const EventEmitter = require('events'); const { once, on, errorMonitor, getEventListeners } = EventEmitter; ${caught}
  const e = new EventEmitter();
  console.log(EventEmitter === EventEmitter.EventEmitter, EventEmitter.defaultMaxListeners, typeof EventEmitter.captureRejectionSymbol);
  e.on('newListener', (name) => console.log('new', name));
  e.on('removeListener', (name) => console.log('gone', name));
  const first = (...args) => console.log('first', ...args);
  e.once('a', first); e.prependListener('a', () => console.log('before')); e.on('a', function () { console.log(this === e); });
  console.log(e.emit('a', 1, 2), e.emit('a'), e.emit('none'), e.listenerCount('a'), e.eventNames(), e.listeners('a').length);
  e.prependOnceListener('b', first); console.log(e.rawListeners('b')[0].listener === first, e.listeners('b')[0] === first);
  e.off('b', first); e.removeAllListeners('a'); e.removeAllListeners(); console.log(e.eventNames());
  console.log(caught(() => e.emit('error', new Error('plain'))), caught(() => e.emit('error', { odd: 1 })), caught(() => e.on('x', 1)));
  e.on(errorMonitor, (error) => console.log('seen', error.message)); caught(() => e.emit('error', new Error('watched')));
  setTimeout(() => e.emit('later', 5, 6), 1); console.log(await once(e, 'later'));
  setTimeout(() => e.emit('error', new Error('failed')), 1); console.log((await once(e, 'later').catch((error) => error)).message);
  setTimeout(() => { e.emit('tick', 1); e.emit('tick', 2); e.emit('stop'); }, 1);
  for await (const [value] of on(e, 'tick', { close: ['stop'] })) console.log('tick', value);
  console.log(getEventListeners(e, 'tick').length, EventEmitter.listenerCount(e, 'tick'));
  const signal = AbortSignal.abort(); console.log((await once(e, 'x', { signal }).catch((error) => error)).name);
  const c = new EventEmitter({ captureRejections: true }); c.on('x', async () => { throw new Error('async'); }); c.emit('x');
  console.log((await once(c, 'error'))[0].message);
  function Old() { EventEmitter.call(this); } require('util').inherits(Old, EventEmitter);
  const old = new Old(); old.on('x', () => console.log('old')); old.emit('x'); console.log(old instanceof EventEmitter, Old.super_ === EventEmitter);
  console.log(caught(() => e.setMaxListeners(-1)), e.getMaxListeners(), e.setMaxListeners(3).getMaxListeners());`,
);

same(
  'assert',
  `const assert = require('assert'); const strict = require('assert/strict'); ${caught}
  const told = async (run) => { try { await run(); return 'fine'; } catch (error) { return [error.name, error.code, error.operator, error.generatedMessage]; } };
  console.log(await told(() => assert(1)), await told(() => assert(0)), await told(() => assert.equal(1, '1')), await told(() => strict.equal(1, '1')));
  console.log(await told(() => assert.deepEqual({ a: 1 }, { a: '1' })), await told(() => assert.deepStrictEqual({ a: 1 }, { a: '1' })));
  const pairs = [[new Map([[{ a: 1 }, 1]]), new Map([[{ a: 1 }, 1]])], [new Set([1, [2]]), new Set([[2], 1])], [[1, , 3], [1, undefined, 3]],
    [new Date(1), new Date(1)], [/a/g, /a/i], [new Error('a'), new Error('b')], [NaN, NaN], [0, -0], [Object(1), Object(1)],
    [Buffer.from('a'), Buffer.from('a')], [new Uint8Array(2), new Uint8Array([0, 1])], [{ [Symbol.for('s')]: 1 }, {}], [Object.create(null), {}], [new (class A {})(), new (class A {})()]];
  for (const [a, b] of pairs) console.log(await told(() => assert.deepStrictEqual(a, b)) === 'fine', await told(() => assert.deepEqual(a, b)) === 'fine', require('util').isDeepStrictEqual(a, b));
  const ring = { a: 1 }; ring.self = ring; const other = { a: 1 }; other.self = other; console.log(await told(() => assert.deepStrictEqual(ring, other)));
  console.log(caught(() => assert.throws(() => {})), caught(() => assert.throws(() => { throw new TypeError('no'); }, TypeError)));
  console.log(caught(() => assert.throws(() => { throw new TypeError('no'); }, /yes/)), caught(() => assert.throws(() => { throw new Error('a'); }, { message: 'a', name: 'Error' })));
  console.log(caught(() => assert.throws(() => { throw new Error('a'); }, TypeError)), caught(() => assert.throws(() => { throw new Error('a'); }, () => true)), caught(() => assert.throws(() => {}, 'said')));
  console.log(caught(() => assert.doesNotThrow(() => { throw new Error('inner'); })), caught(() => assert.ifError(null)), caught(() => assert.ifError(new Error('e')))[2]);
  console.log(await told(() => assert.rejects(Promise.reject(new Error('x')), /x/)), await told(() => assert.rejects(async () => {})), await told(() => assert.doesNotReject(async () => {})));
  console.log(caught(() => assert.match('abc', /x/)), caught(() => assert.doesNotMatch('abc', /b/)), caught(() => assert.match(1, /x/)), caught(() => assert.match('a', 'a')));
  console.log(caught(() => assert.fail()), caught(() => assert.fail('why')), caught(() => assert.strictEqual(1, 2, 'said')), caught(() => assert.strictEqual(1, 2, new RangeError('own'))));
  console.log(caught(() => assert.strictEqual(1, 2)), caught(() => assert.strictEqual('a', 'b')), caught(() => assert.notStrictEqual(1, 1)), caught(() => assert.equal(1, 2)), caught(() => assert.strictEqual(1)));
  console.log(await told(() => assert.partialDeepStrictEqual({ a: 1, b: { c: 2, d: 3 } }, { b: { c: 2 } })), await told(() => assert.partialDeepStrictEqual({ a: 1 }, { a: 2 })));
  const error = new assert.AssertionError({ actual: 1, expected: 2, operator: 'strictEqual' }); console.log(error instanceof Error, error.message, Object.keys(error).filter((name) => name !== 'diff').sort().join());
  console.log(strict.strict === strict, assert.strict === strict, typeof strict, strict.deepEqual === strict.deepStrictEqual);`,
);

same(
  'util',
  `const util = require('util'); ${caught}
  const read = (a, done) => setTimeout(() => a < 0 ? done(new Error('negative')) : done(null, a * 2), 1);
  console.log(await util.promisify(read)(4), (await util.promisify(read)(-1).catch((error) => error)).message, caught(() => util.promisify(1)));
  read[util.promisify.custom] = async () => 'custom'; console.log(await util.promisify(read)());
  console.log(await util.promisify(setTimeout)(1, 'slept'), await util.promisify(setImmediate)('soon'));
  console.log(await new Promise((resolve) => util.callbackify(async (a) => a + 1)(1, (...args) => resolve(args))));
  console.log(await new Promise((resolve) => util.callbackify(async () => { throw null; })((error) => resolve([error.code, error.reason]))));
  console.log(util.format('%s %d %i %f %j %O %% %x', 'a', 1.5, 1.5, '2.5', { a: 1 }, { b: { c: {} } }, 'rest'), util.format(1, 'a', { a: 1 }), util.format('%s', null, undefined, 5n, Symbol('s')));
  console.log(util.inspect({ a: { b: { c: { d: 1 } } } }, { depth: 0 }), util.inspect('it\\'s'), util.inspect(new Map([['a', { b: 1 }]])), util.inspect([1, , 3]));
  console.log(util.isDeepStrictEqual({ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }), util.isArray([]), util.types.isDate(new Date()), util.types.isPromise({ then() {} }), util.types.isTypedArray(new DataView(new ArrayBuffer(1))));
  console.log(util.types.isRegExp(/a/), util.types.isAsyncFunction(async () => {}), util.types.isGeneratorFunction(function* () {}), util.types.isBoxedPrimitive(Object(1n)), util.types.isArrayBufferView(Buffer.alloc(1)), util.types.isUint8Array(Buffer.alloc(1)), util.types.isNativeError(new TypeError()), util.types.isMapIterator(new Map().keys()), util.types.isGeneratorObject((function* () {})()), util.types.isSymbolObject(Object(Symbol())), util.types.isWeakMap(new WeakMap()), util.types.isWeakMap(new Map()), util.types.isArgumentsObject((function () { return arguments; })()), util.types.isAnyArrayBuffer(new ArrayBuffer(1)));
  console.log(util.parseArgs({ args: ['-f', '--bar', 'b', '--multi=1', '--multi', '2', 'x', '--', '--y'], options: { foo: { type: 'boolean', short: 'f' }, bar: { type: 'string' }, multi: { type: 'string', multiple: true }, dflt: { type: 'string', default: 'd' } }, allowPositionals: true }));
  console.log(caught(() => util.parseArgs({ args: ['--none'] })), caught(() => util.parseArgs({ args: ['x'], options: {} })), util.parseArgs({ args: ['-abc', '1'], strict: false, options: { c: { type: 'string' } }, tokens: true }).tokens.length);
  console.log(util.stripVTControlCharacters('\\u001b[31mred\\u001b[39m \\u001b]8;;http://a\\u0007link\\u001b]8;;\\u0007'), JSON.stringify(util.styleText(['bold', 'red'], 'x', { validateStream: false })), caught(() => util.styleText('none such', 'x')).slice(0, 60));
  console.log(new util.TextDecoder().decode(new util.TextEncoder().encode('ä')), util.toUSVString('a\\ud800'), util.debuglog('x').enabled, typeof util.deprecate(() => {}, 'old'));
  class A {} class B {} util.inherits(B, A); console.log(new B() instanceof A, B.super_ === A, caught(() => util.inherits(B, {})));
  console.log(util.parseEnv('A=1\\n#no\\nexport B="two words"\\nC=\\'x\\'\\n'), util.formatWithOptions({ depth: 0 }, 'x', { a: { b: 1 } }), typeof require('util/types').isMap);`,
);

same(
  'url',
  `const url = require('url'); ${caught}
  const texts = ['http://user:pa%20ss@Example.com:8080/p/a?x=1&y=2#frag', '/a/b?c#d', 'mailto:a@b.c', '//host/path', 'x', '', 'file:///etc/x', 'http://a', 'HTTP://A?x', 'http://[::1]:80/x', 'javascript:alert(1)', 'coap:x', 'http://a.b/ c "d"', '?q=1', '#h', 'a b', 'ws://h:1/?', 'http:\\\\\\\\a\\\\b', 'http://x.y:/z', 'data:text/plain,hi'];
  for (const text of texts) { const { ...parts } = url.parse(text); console.log(text, parts); }
  console.log(url.parse('/a?x=1&x=2', true).query, url.parse('//h/p', false, true).host, url.parse('http://ä.com/').host, caught(() => url.parse(1)));
  for (const parts of [{ protocol: 'http', host: 'a', pathname: 'b', search: 'c', hash: 'd' }, { hostname: 'h', port: 1, query: { a: [1, 2], b: '' } }, { protocol: 'mailto', pathname: 'a@b' }, { pathname: '/x#y?z' }, { protocol: 'file', pathname: '/x' }, { slashes: true, host: 'h' }, { auth: 'a:b', host: 'h', protocol: 'https:' }]) console.log(url.format(parts));
  for (const [from, to] of [['/one/two/three', 'four'], ['http://example.com/', '/one'], ['http://example.com/one', '/two'], ['http://a/b/c/d;p?q', '../g'], ['http://a/b/c/d;p?q', '?y'], ['http://a/b', '#s'], ['http://a/b', 'https://c/d'], ['a/b', 'c'], ['/a/b/', '.'], ['http://a/b', '//c/d']]) console.log(url.resolve(from, to));
  console.log(url.fileURLToPath('file:///a%20b/c%25'), caught(() => url.fileURLToPath('http://a')), caught(() => url.fileURLToPath('file:///a%2fb')), caught(() => url.fileURLToPath(1)), caught(() => url.fileURLToPath('file://h/x')));
  console.log(url.pathToFileURL('/a b/%#?x\\n').href, url.pathToFileURL('/a/').href, url.domainToASCII('español.com'), url.domainToASCII('xn--iñvalid.com'), url.URL === URL, url.URLSearchParams === URLSearchParams);
  console.log(url.format(new URL('http://u:p@a/b?c#d'), { auth: false, fragment: false, search: false }), { ...url.urlToHttpOptions(new URL('http://u:p@[::1]:81/b?c#d')) });`,
);

same(
  'querystring, string_decoder, punycode',
  `const qs = require('querystring'); const { StringDecoder } = require('string_decoder');
  for (const text of ['a=1&b=2&a=3', 'a', '=b', 'a=', '&&', 'a=%E4&b=%zz', 'a+b=c+d', 'ä=ö', 'a=b=c']) console.log(qs.parse(text));
  console.log(qs.parse('a:1;b:2', ';', ':'), qs.parse('a=1&b=2', null, null, { maxKeys: 1 }), qs.parse('a=%41', null, null, { decodeURIComponent: (x) => x + '!' }));
  console.log(qs.stringify({ a: [1, 'b', true], c: null, d: undefined, e: NaN, f: 5n, 'ä &': 'ö=' }), qs.stringify({ a: 1, b: 2 }, ';', ':'), qs.stringify('x'), qs.escape('a b&ü'), qs.unescape('%41%zz'), qs.unescapeBuffer('a%20b').toString());
  const d = new StringDecoder('utf8'); console.log(d.write(Buffer.from([0xe2, 0x82])), d.write(Buffer.from([0xac])), d.end(Buffer.from([0xe2])));
  const b = new StringDecoder('base64'); console.log(b.write(Buffer.from('ab')), b.write(Buffer.from('cd')), b.end());
  const h = new StringDecoder('hex'); console.log(h.end(Buffer.from([1, 255])));`,
);

same(
  'path',
  `const path = require('path'); const { posix } = path; ${caught}
  const texts = ['', '.', '/', '//', 'a', '/a', 'a/', 'a/b.c', '/a/b/c.tar.gz', '../a', './a/../b', 'a//b', '.bashrc', 'a.', '...', '/a/./b/../../c', 'a/.b', '..', 'a/../..', '//a//b//', '/a/b/.', ' a '];
  for (const text of texts) console.log([text, posix.normalize(text), posix.dirname(text), posix.basename(text), posix.extname(text), posix.isAbsolute(text), posix.parse(text), posix.format(posix.parse(text)), posix.resolve('/x', text), posix.join('y', text)]);
  for (const a of texts) for (const b of ['/a/b', 'a', '/']) if (a !== '') console.log(posix.relative('/q' + a, b === 'a' ? '/q/a' : b));
  console.log(posix.basename('a.html', '.html'), posix.basename('/x/.html', '.html'), posix.basename('a', 'a'), posix.join(), posix.format({ dir: '/d', name: 'n', ext: 'e' }), posix.format({ root: '/', base: 'b' }), posix.sep, posix.delimiter, posix.toNamespacedPath('/a'), path.posix === posix);
  console.log(caught(() => posix.join(1)), caught(() => posix.basename(null)), caught(() => posix.format(1)), posix.basename('aaa', 'aa'));`,
);

same(
  'timers/promises',
  `const { setTimeout: sleep, setImmediate: soon, setInterval: every, scheduler } = require('timers/promises'); const timers = require('timers');
  console.log(await sleep(1, 'a'), await soon('b'), await scheduler.wait(1), await scheduler.yield(), timers.promises.setTimeout === sleep, timers.setTimeout === setTimeout);
  const controller = new AbortController(); setTimeout(() => controller.abort(new Error('why')), 2);
  const error = await sleep(1e6, 'x', { signal: controller.signal }).catch((error) => error); console.log(error.name, error.code, error.cause.message);
  let count = 0; for await (const value of every(1, 'tick')) { console.log(value); if (++count === 3) break; }
  const second = new AbortController(); let seen = 0; try { for await (const _ of every(1, 0, { signal: second.signal })) if (++seen === 2) second.abort(); } catch (error) { console.log(error.name, seen); }
  console.log((await sleep(1, 0, { signal: AbortSignal.abort() }).catch((error) => error)).name);`,
);

same(
  'stream',
  `const stream = require('stream'); const { Readable, Writable, Transform, Duplex, PassThrough, pipeline, finished } = stream; const { pipeline: run } = require('stream/promises');
  console.log(stream === stream.Stream, typeof stream.promises.pipeline, Readable.from([1]) instanceof require('events'));
  const up = () => new Transform({ transform(chunk, encoding, done) { done(null, String(chunk).toUpperCase()); } });
  const chunks = []; await run(Readable.from(['a', 'b']), up(), async function* (source) { for await (const chunk of source) yield chunk + '!'; }, new Writable({ objectMode: true, write(chunk, encoding, done) { chunks.push(String(chunk)); done(); } })); console.log(chunks.join('').replaceAll('!', ''));
  console.log(await new Promise((resolve) => pipeline(Readable.from(['x']), new Writable({ write(chunk, encoding, done) { done(new Error('full')); } }), (error) => resolve(error.message))));
  class Lines extends Transform { constructor() { super({ readableObjectMode: true }); this.rest = ''; } _transform(chunk, encoding, done) { const parts = (this.rest + chunk).split('\\n'); this.rest = parts.pop(); for (const part of parts) this.push(part); done(); } _flush(done) { if (this.rest) this.push(this.rest); done(); } }
  const lines = new Lines(); lines.write('a\\nb'); lines.end('c\\nd'); for await (const line of lines) console.log(line);
  const pass = new PassThrough({ highWaterMark: 2 }); console.log(pass.write('abc'), pass.writableLength, pass.read().toString()); pass.end();
  finished(pass, (error) => console.log('finished', error)); pass.resume(); await new Promise((resolve) => pass.on('close', resolve));
  console.log(await Readable.from([1, 2, 3]).map((x) => x * 2).toArray(), Readable.prototype.readable !== undefined, await Readable.from([3, 4]).reduce((a, b) => a + b));
  const aborted = new AbortController(); const never = new Readable({ read() {}, signal: aborted.signal }); never.on('error', (error) => console.log(error.name)); aborted.abort(); await new Promise((resolve) => never.on('close', resolve));`,
);

same(
  'buffer and process',
  `const buffer = require('buffer'); console.log(buffer.Buffer === Buffer, buffer.isUtf8(Buffer.from('ä')), buffer.isUtf8(Buffer.from([255])), buffer.isAscii(Buffer.from('a')), buffer.transcode(Buffer.from('€ä'), 'utf8', 'latin1'), buffer.constants.MAX_STRING_LENGTH === buffer.kStringMaxLength);
  const b = Buffer.alloc(16); b.writeBigUint64LE(5n); b.writeDoubleBE(1.5, 8); console.log(b, b.readBigUint64LE(), b.readDoubleBE(8), b.swap16().toString('hex'), Buffer.copyBytesFrom(new Uint16Array([1, 2, 3]), 1, 1), Buffer.of(1, 2));
  console.log(b.toString('base64url'), Buffer.from('_-8', 'base64url'), Buffer.compare(Buffer.from('a'), Buffer.from('b')), Buffer.concat([Buffer.from('a'), new Uint8Array([98])]).toString(), b.indexOf(Buffer.from([0x3f])), JSON.stringify(Buffer.from('hi')), Buffer.byteLength('€'), Buffer.from('abc').subarray(1).toString('latin1'), Buffer.from('zz').equals(Buffer.from('zz')), Buffer.from('616', 'hex'), Buffer.from('ab', 'utf16le'));
  console.log(process.release.name, typeof process.pid, process.stdout.fd, typeof process.version, process.argv.length > 1);`,
);

same(
  'diagnostics_channel and others',
  `const channels = require('diagnostics_channel'); const { performance } = require('perf_hooks'); const os = require('os');
  const channel = channels.channel('a'); const hear = (message, name) => console.log(message, name); console.log(channel.hasSubscribers); channels.subscribe('a', hear); channel.publish({ x: 1 }); console.log(channels.hasSubscribers('a'), channels.unsubscribe('a', hear), channels.channel('a') === channel);
  const tracing = channels.tracingChannel('t'); tracing.subscribe({ start: () => console.log('start'), end: () => console.log('end'), asyncEnd: ({ result }) => console.log('async', result), error: ({ error }) => console.log(error.message) });
  console.log(tracing.traceSync((a) => a + 1, {}, null, 1)); await tracing.tracePromise(async () => 5, {}); try { tracing.traceSync(() => { throw new Error('t'); }); } catch {}
  console.log(typeof performance.now(), os.EOL, os.platform(), os.type(), os.endianness(), os.devNull);`,
);

test('a warning is a line, and an event', () =>
  withBuilt(
    `process.once('warning', ({ name, message, code }) => console.log(name, message, code));
    process.emitWarning('old', { type: 'DeprecationWarning', code: 'D1' });
    require('util').deprecate(() => {}, 'use more')();`,
    async (box) => {
      await box.log('old D1');
      assert.equal(box.logs(), [
        'DeprecationWarning: old',
        'DeprecationWarning: use more',
        'DeprecationWarning old D1',
      ]);
    },
  ));

test.run();
