/** The world a module lives in: timers, console, text, process, and what is taken away. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openBox, rejectionOf, withBox } from './module-box.ts';

const test = suite('world');

test('timers run in order of their time, each once', () =>
  withBox(
    `const note = (text) => console.log(text);
    setTimeout(note, 30, 'thirty');
    setTimeout(note, 10, 'ten');
    setTimeout(note, 0, 'now');
    const gone = setTimeout(note, 5, 'never');
    clearTimeout(gone);
    const byNumber = setTimeout(note, 5, 'never');
    clearTimeout(+byNumber);
    clearTimeout(String(+setTimeout(note, 5, 'never')));
    clearTimeout(undefined); clearTimeout(null); clearTimeout({}); clearTimeout(12345);
    setImmediate(note, 'immediate');
    clearImmediate(setImmediate(note, 'never'));
    queueMicrotask(() => note('microtask'));
    process.nextTick(note, 'tick');
    note('sync');`,
    async (box) => {
      assert.is(box.batches.at(-1)?.timerMs, 0);
      while (box.batches.at(-1)?.timerMs !== -1) await box.tick();
      assert.equal(box.logs().slice(0, 3), ['sync', 'microtask', 'tick']);
      const [immediate, ...rest] = box
        .logs()
        .slice(3)
        .sort((one) => (one === 'immediate' ? -1 : 0));
      assert.is(immediate, 'immediate');
      assert.equal(rest, ['now', 'ten', 'thirty']);
    },
  ));

test("timers have the shape of Node's", () =>
  withBox(
    `import { promisify } from 'util';
    import { setTimeout as sleep, setInterval as every } from 'timers/promises';
    const timer = setTimeout(function () { console.log(this === timer, this.hasRef()); }, 1e12);
    console.log(timer.constructor.name, timer.ref() === timer, timer.unref().hasRef(), typeof +timer, Object.keys(timer).length);
    let count = 0;
    const interval = setInterval(() => { if (++count === 3) { clearInterval(interval); console.log('three'); } }, 1);
    try { setTimeout('code', 1); } catch (error) { console.log(error.name, error.code); }
    await promisify(setTimeout)(2);
    console.log(await sleep(2, 'slept'));
    for await (const value of every(1, 'every')) { console.log(value); break; }
    const refreshed = setTimeout(() => console.log('refreshed'), 3);
    refreshed.refresh();
    console.log('end');`,
    async (box) => {
      assert.is(box.logs()[0], 'Timeout true false number 0');
      while (box.batches.at(-1)?.timerMs !== -1) await box.tick();
      const logs = box.logs();
      for (const line of [
        'TypeError ERR_INVALID_ARG_TYPE',
        'true false',
        'three',
        'slept',
        'every',
        'end',
        'refreshed',
      ]) {
        assert.is(logs.filter((each) => each === line).length, 1, line);
      }
    },
  ));

test('between callbacks due together promise reactions run', () =>
  withBox(
    `const steps = [];
    for (const name of ['a', 'b']) {
      setTimeout(() => {
        steps.push(name);
        Promise.resolve().then(() => steps.push(name + 1)).then(() => steps.push(name + 2));
      }, 1);
      setImmediate(() => {
        steps.push('i' + name);
        queueMicrotask(() => steps.push('i' + name + 1));
      });
    }
    setTimeout(() => console.log(steps.join()), 20);`,
    async (box) => {
      while (box.batches.at(-1)?.timerMs !== -1) await box.tick();
      assert.equal(box.logs().map(sorted), ['a,a1,a2,b,b1,b2 ia,ia1,ib,ib1']);
    },
  ));

/** Timers and immediates each in their order; which come first is not told. */
function sorted(line: string): string {
  const steps = line.split(',');
  const of = (isImmediate: boolean): string =>
    steps.filter((step) => step.startsWith('i') === isImmediate).join();
  return `${of(false)} ${of(true)}`;
}

test('a timer that throws ends the module, after the others of its turn', async () => {
  const box = await openBox(`
    setTimeout(() => { throw new Error('first'); }, 1);
    setTimeout(() => console.log('ran'), 1);
    setTimeout(() => { throw new Error('second'); }, 1);`);
  try {
    const error = await rejectionOf(box.tick().then(() => box.tick()));
    assert.is(error.message, 'first');
    assert.equal(box.logs(), ['ran']);
  } finally {
    box.dispose();
  }
});

test('a loop of short timers does not starve the door', () =>
  withBox(
    `let count = 0;
    const again = () => { count++; setTimeout(again, 0); };
    const soon = () => { count++; setImmediate(soon); };
    again(); soon();
    setTimeout(() => console.log('count', count < 50), 5);`,
    async (box) => {
      while (box.logs().length === 0) await box.tick();
      assert.equal(box.logs(), ['count true']);
    },
  ));

test('timers have a limit', () =>
  withBox(
    `try { for (;;) setTimeout(() => {}, 1000); } catch (error) { console.log(String(error)); }`,
    async (box) => {
      await box.log('RangeError: This module has 10000 timers set');
    },
  ));

test('console levels, one request a call, long lines cut', () =>
  withBox(
    `console.debug('d'); console.info('i'); console.log('l %d', 1, { a: [1] }); console.warn('w'); console.error(new TypeError('bad'));
    (function where() { console.trace('here %s', 'x'); })();
    console.group('g'); console.log('in\\nside'); console.groupEnd(); console.log('out');
    console.assert(true, 'no'); console.assert(false, 'a %s', 'b'); console.count(); console.count(); console.dir({ a: { b: { c: 1 } } }, { depth: 0 });
    console.time('t'); console.timeEnd('t'); console.table([1]);
    process.stdout.write('written\\n');
    console.log('x'.repeat(10000));`,
    async (box) => {
      const lines = box
        .requests()
        .flatMap((request) => (request.t === 'log' ? [[request.level, request.text]] : []));
      assert.equal(lines.slice(0, 4), [
        ['debug', 'd'],
        ['info', 'i'],
        ['info', 'l 1 { a: [ 1 ] }'],
        ['warn', 'w'],
      ]);
      assert.is(lines[4]?.[0], 'error');
      assert.match(lines[4]?.[1] ?? '', /^TypeError: bad\n {4}at file:\/\/\/filter\/index\.js:\d+/);
      assert.match(lines[5]?.[1] ?? '', /^Trace: here x\n {4}at where/);
      assert.equal(
        lines.slice(6, 15).map(([, text]) => text),
        [
          'g',
          '  in\n  side',
          'out',
          'Assertion failed: a b',
          'default: 1',
          'default: 2',
          '{ a: [Object] }',
          't: 0ms',
          '┌─────────┬────────┐\n│ (index) │ Values │\n├─────────┼────────┤\n│ 0       │ 1      │\n└─────────┴────────┘',
        ].map((text, index) => (index === 7 ? (lines[13]?.[1] as string) : text)),
      );
      assert.is(lines[15]?.[1], 'written');
      assert.is(lines[16]?.[1], `${'x'.repeat(8192)}… (1808 more characters)`);
      assert.is(box.batches.length, 1);
    },
  ));

test('text, bytes and clones', () =>
  withBox(
    `const same = (one, other) => console.log(one === other ? 'ok' : 'NOT ' + JSON.stringify([one, other]));
    same(new TextDecoder().decode(Uint8Array.of(0xef, 0xbb, 0xbf, 65)), 'A');
    same(new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.of(0xef, 0xbb, 0xbf, 65)), '\\ufeffA');
    same(new TextDecoder('latin1').decode(Uint8Array.of(0xe4)), 'ä');
    same(new TextDecoder('utf-16le').decode(Uint8Array.of(0x41, 0, 0x3d, 0xd8, 0, 0xde)), 'A😀');
    let refused = 0;
    try { new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.of(0xff)); } catch (error) { refused = error.code; }
    same(refused, 'ERR_ENCODING_INVALID_ENCODED_DATA');
    try { new TextDecoder('klingon'); } catch (error) { refused = error.name; }
    same(refused, 'RangeError');
    same(atob(btoa('\\xff\\x00a')), '\\xff\\x00a');
    try { btoa('€'); } catch (error) { refused = error.name; }
    same(refused, 'InvalidCharacterError');
    same(Buffer.from('ä€').toString('hex'), 'c3a4e282ac');
    same(Buffer.from('c3a4', 'hex').toString(), 'ä');
    same(Buffer.from([0xfb, 0xff]).toString('base64url'), '-_8');
    same(Buffer.from('-_8', 'base64url').length, 2);
    same(Buffer.from('abcdef').toString('utf8', 1, 3), 'bc');
    same(Buffer.concat([Buffer.from('a'), Buffer.from('b')]).toString(), 'ab');
    same(JSON.stringify(Buffer.from('a')), '{"type":"Buffer","data":[97]}');
    const value = { list: [1, , 3], when: new Date(5), map: new Map([[{ k: 1 }, new Set([1])]]), bytes: new Uint16Array([1, 2]), re: /x/g, big: 1n, error: new RangeError('r') };
    value.self = value;
    const copy = structuredClone(value);
    same(copy.self, copy);
    same(copy.when.getTime() + copy.bytes[1] + copy.list.length, 10);
    same(1 in copy.list, false);
    same([...copy.map.keys()][0].k, 1);
    same(copy.bytes.buffer !== value.bytes.buffer, true);
    same(copy.error instanceof RangeError, true);
    try { structuredClone({ f() {} }); } catch (error) { refused = error.name; }
    same(refused, 'DataCloneError');
    const buffer = new ArrayBuffer(4);
    same(structuredClone(buffer, { transfer: [buffer] }).byteLength + buffer.byteLength, 4);
    console.log('end');`,
    async (box) => {
      await box.log('end');
      assert.equal(
        box.logs().filter((line) => line !== 'ok'),
        ['end'],
      );
    },
  ));

test('memory that no limit counts is not to be had', () =>
  withBox(
    `console.log(typeof WebAssembly, typeof SharedArrayBuffer);
    const attempts = [
      () => new ArrayBuffer(0, { maxByteLength: 1e9 }),
      () => new ArrayBuffer.prototype.constructor(0, { maxByteLength: 1e9 }),
      () => new (class extends ArrayBuffer {})(0, { maxByteLength: 1e9 }),
      () => new (new Uint8Array(1).buffer.constructor)(0, { maxByteLength: 1e9 }),
      () => Reflect.construct(ArrayBuffer, [0, { maxByteLength: 1e9 }]),
    ];
    for (const attempt of attempts) { try { attempt(); console.log('got it'); } catch (error) { console.log(error.name); } }
    let asked = 0;
    const buffer = new ArrayBuffer(1, { get maxByteLength() { return asked++ ? 1e9 : undefined; } });
    console.log(buffer.resizable, buffer instanceof ArrayBuffer, new ArrayBuffer(8).slice(2).byteLength, ArrayBuffer.isView(new Uint8Array(1)));`,
    async (box) => {
      assert.equal(box.logs(), [
        'undefined undefined',
        ...Array.from({ length: 5 }, () => 'RangeError'),
        'false true 6 true',
      ]);
    },
  ));

test('process tells what is true', () =>
  withBox(
    `import processToo, { env } from 'node:process';
    import os from 'os';
    import { EventEmitter } from 'events';
    console.log(process === processToo, env === process.env, process.env.IOTEDGE_DEVICEID, process.platform, process.arch, process.version.startsWith('v26.'), process.pid);
    console.log(process instanceof EventEmitter, globalThis === global, self === global, os.hostname(), os.EOL === '\\n');
    const start = process.hrtime();
    const bigStart = process.hrtime.bigint();
    for (const end = performance.now() + 5; performance.now() < end; );
    const [seconds, nanoseconds] = process.hrtime(start);
    console.log(seconds === 0 && nanoseconds >= 4e6, process.hrtime.bigint() - bigStart >= 4000000n, process.uptime() > 0, performance.timeOrigin + performance.now() - Date.now() < 1000);
    console.log(process.memoryUsage);`,
    async (box) => {
      assert.equal(box.logs(), [
        'true true edge-1 linux arm64 true 1',
        'true true true edge-1 true',
        'true true true true',
        'undefined',
      ]);
    },
  ));

test('process.exit: what was asked before arrives, nothing runs after', async () => {
  const box = await openBox(`
    process.on('exit', (code) => console.log('exit', code));
    setTimeout(() => {
      console.log('before');
      try { process.exit(3); } finally { console.log('after'); }
    }, 1);`);
  const error = await rejectionOf(box.tick());
  assert.match(error.message, /disposed/);
  assert.equal(box.hostCalls(), [{ t: 'exit', code: 3 }]);
  assert.equal(box.logs(), ['before', 'exit 3']);
});

test('errors while loading reach the host', async () => {
  for (const [source, message] of [
    ['null.x;', "Cannot read properties of null (reading 'x')"],
    ['await null; throw new Error("late");', 'late'],
    ['Promise.reject(new Error("nobody")); console.log("loaded");', 'nobody'],
    ['queueMicrotask(() => { throw new Error("micro"); });', 'micro'],
    ['process.nextTick(() => { throw "text"; });', "Uncaught 'text' (not an Error)"],
    ['await Promise.resolve().then(() => { throw new Error("top"); });', 'top'],
  ] as const) {
    const error = (await rejectionOf(openBox(source))) as Error & { box: { dispose(): void } };
    assert.is(error.message, message);
    error.box.dispose();
  }
});

test.run();
