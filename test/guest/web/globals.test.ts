/** The small globals of the web in an isolate: base64, microtasks, timers, the clock, navigator. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { atob as guestAtob, btoa as guestBtoa } from '../../../src/guest/world/base64.ts';
import { inGuest } from './in-guest.ts';

const test = suite('globals');

/** A global of the isolate that Node's types do not have. */
declare const self: unknown;

test('base64: any text, as Node takes or refuses it', () => {
  const answer = (run: () => string): string => {
    try {
      return run();
    } catch (error) {
      return `${(error as Error).name} ${(error as DOMException).code}`;
    }
  };
  const encoded = fc.string({
    unit: fc.constantFrom(...Array.from('aZ9+/=-_ \n\t\0é€\v')),
    maxLength: 9,
  });
  fc.assert(
    fc.property(encoded, (text) => {
      assert.is(
        answer(() => guestAtob(text)),
        answer(() => atob(text)),
        JSON.stringify(text),
      );
    }),
    { numRuns: 5000 },
  );
  const binary = fc.string({
    unit: fc.constantFrom(...Array.from('a\0\x7f\x80ÿĀ€')),
    maxLength: 9,
  });
  fc.assert(
    fc.property(binary, (text) => {
      assert.is(
        answer(() => guestBtoa(text)),
        answer(() => btoa(text)),
      );
    }),
    { numRuns: 1000 },
  );
});

test('base64 of what is no text', async () => {
  const answers = await inGuest(() => [
    btoa(null as never),
    btoa(undefined as never),
    btoa(12.5 as never),
    atob('  Y Q = = '),
    ...[() => Reflect.apply(atob, undefined, []), () => Reflect.apply(btoa, undefined, [])].map(
      (run) => {
        try {
          return run() as string;
        } catch (error) {
          return (error as Error).name;
        }
      },
    ),
    atob.length,
  ]);
  assert.equal(answers, ['bnVsbA==', 'dW5kZWZpbmVk', 'MTIuNQ==', 'a', 'TypeError', 'TypeError', 1]);
});

test('microtasks take turns with promises', async () => {
  const answers = await inGuest(async () => {
    const log: unknown[] = [];
    const first = Promise.resolve().then(() => log.push('a'));
    queueMicrotask(() => log.push('b'));
    const third = Promise.reject(new Error('c')).catch(() => log.push('c'));
    Reflect.apply(queueMicrotask, undefined, [(...args: unknown[]) => log.push(args.length), 1]);
    for (const wrong of [undefined, null, 0, {}, 'x = 5']) {
      try {
        queueMicrotask(wrong as never);
      } catch (error) {
        log.push((error as Error).name);
      }
    }
    await first;
    await third;
    await Promise.resolve();
    return log;
  });
  assert.equal(answers, [...(Array(5).fill('TypeError') as string[]), 'a', 'b', 'c', 0]);
});

test('timers: arguments, order, clearing of anything', async () => {
  const answers = await inGuest(async () => {
    const log: unknown[] = [];
    setTimeout((...args) => log.push(['second', ...args]), 40, 1, 'two');
    setTimeout(() => log.push('first'), -100);
    setTimeout(() => log.push('too long to wait for is now'), 2 ** 32);
    setTimeout(() => log.push('text'), '12' as never);
    const never = setTimeout(() => log.push('never'), 1);
    clearInterval(never);
    const repeated = setInterval(() => log.push('never'), 1);
    clearTimeout(repeated);
    for (const nothing of [undefined, null, 0, -1, 1e9, 'x', {}, [], () => {}, Number.NaN]) {
      clearTimeout(nothing as never);
      clearInterval(nothing as never);
    }
    let left = 3;
    await new Promise<void>((resolve) => {
      const interval = setInterval(() => {
        if (--left > 0) return;
        clearInterval(interval);
        resolve();
      }, 30);
    });
    return log;
  });
  assert.equal(answers, ['first', 'too long to wait for is now', 'text', ['second', 1, 'two']]);
});

test('the clock, marks and measures', async () => {
  const answers = await inGuest(async () => {
    const start = performance.now();
    const mark = performance.mark('a', { detail: { x: 1 } });
    performance.mark('b', { startTime: mark.startTime + 5 });
    const measure = performance.measure('m', 'a', 'b');
    const whole = performance.measure('w', { start: 2, duration: 3 });
    const found = performance.getEntriesByType('mark').map(({ name }) => name);
    performance.clearMarks('a');
    let missing = '';
    try {
      performance.measure('m', 'a');
    } catch (error) {
      missing = (error as Error).name;
    }
    return {
      now: [start > 0, performance.now() >= start],
      origin: Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 1000,
      json: Object.keys(performance.toJSON() as object),
      mark: [mark.entryType, mark.duration, mark.detail],
      measure: [Math.round(measure.duration), measure.entryType, measure.detail],
      whole: [whole.startTime, whole.duration],
      found,
      left: performance.getEntries().length,
      missing,
      is: [performance instanceof Performance, performance instanceof EventTarget],
      agent: /^Isolet\/\S+$/.test(navigator.userAgent),
      self: self === globalThis,
    };
  });
  assert.equal(answers, {
    now: [true, true],
    origin: true,
    json: ['timeOrigin'],
    mark: ['mark', 0, { x: 1 }],
    measure: [5, 'measure', null],
    whole: [2, 3],
    found: ['a', 'b'],
    left: 3,
    missing: 'SyntaxError',
    is: [true, true],
    agent: true,
    self: true,
  });
});

test.run();
