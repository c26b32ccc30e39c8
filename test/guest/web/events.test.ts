/** Events, targets and signals in an isolate: what the DOM standard says of them. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { openBox } from '../module-box.ts';
import { bundleForGuest, inGuest } from './in-guest.ts';

const test = suite('events');

/** Globals of the isolate that Node's types do not have. */
declare function addEventListener(type: string, listener: (event: Event) => unknown): void;
declare function reportError(error: unknown): void;
declare const PromiseRejectionEvent: new (type: string, init: object) => Event;

test('an event and its state', async () => {
  const answer = await inGuest(() => {
    const event = new Event('x', { bubbles: true, cancelable: true, composed: true });
    const before = [event.type, event.bubbles, event.cancelable, event.composed, event.isTrusted];
    event.preventDefault();
    const state = [event.defaultPrevented, event.returnValue, event.eventPhase, event.target];
    event.stopPropagation();
    const own = Object.getOwnPropertyDescriptor(event, 'isTrusted');
    return {
      before,
      state: [...state, event.cancelBubble, event.currentTarget, event.srcElement],
      trust: [own?.configurable, own?.enumerable, typeof own?.get, own?.set === undefined],
      phases: ['NONE', 'CAPTURING_PHASE', 'AT_TARGET', 'BUBBLING_PHASE'].map((name) => [
        Reflect.get(Event, name) as unknown,
        Reflect.get(event, name) as unknown,
      ]),
      custom: new CustomEvent('c', { detail: { a: 1 } }).detail as unknown,
      none: new CustomEvent('c').detail as unknown,
      symbol: Object.prototype.toString.call(event),
      path: event.composedPath(),
      time: event.timeStamp > 0,
    };
  });
  assert.equal(answer, {
    before: ['x', true, true, true, false],
    state: [true, false, 0, null, true, null, null],
    trust: [false, true, 'function', true],
    phases: [
      [0, 0],
      [1, 1],
      [2, 2],
      [3, 3],
    ],
    custom: { a: 1 },
    none: null,
    symbol: '[object Event]',
    path: [],
    time: true,
  });
});

test('dispatching: order, once, objects, removal, stopping', async () => {
  const answer = await inGuest(() => {
    const log: unknown[] = [];
    const target = new EventTarget();
    const say = (text: string) => () => void log.push(text);
    const twice = say('twice added, once called');
    target.addEventListener('x', twice);
    target.addEventListener('x', twice, false);
    target.addEventListener('x', say('once'), { once: true });
    const object = {
      handleEvent(event: Event) {
        log.push([this === object, event.eventPhase, event.composedPath().length]);
      },
    };
    target.addEventListener('x', object);
    const removed = say('removed meanwhile');
    target.addEventListener('x', () => target.removeEventListener('x', removed));
    target.addEventListener('x', removed);
    target.addEventListener('x', () => target.addEventListener('x', say('later')), { once: true });
    log.push(target.dispatchEvent(new Event('x')));
    log.push('again');
    target.dispatchEvent(new Event('x'));

    const stopping = new EventTarget();
    stopping.addEventListener('x', (event) => event.stopImmediatePropagation());
    stopping.addEventListener('x', say('never'));
    stopping.dispatchEvent(new Event('x'));

    const canceling = new EventTarget();
    canceling.addEventListener('x', (event) => event.preventDefault());
    log.push(canceling.dispatchEvent(new Event('x')));
    log.push(canceling.dispatchEvent(new Event('x', { cancelable: true })));
    canceling.addEventListener('y', (event) => event.preventDefault(), { passive: true });
    log.push(canceling.dispatchEvent(new Event('y', { cancelable: true })));

    const controller = new AbortController();
    target.addEventListener('z', say('aborted'), { signal: controller.signal });
    controller.abort();
    target.addEventListener('z', say('aborted before'), { signal: controller.signal });
    target.dispatchEvent(new Event('z'));
    return log;
  });
  assert.equal(answer, [
    'twice added, once called',
    'once',
    [true, 2, 1],
    true,
    'again',
    'twice added, once called',
    [true, 2, 1],
    'later',
    true,
    false,
    true,
  ]);
});

test('what is refused', async () => {
  const names = await inGuest(() => {
    const target = new EventTarget();
    const attempts: (() => unknown)[] = [
      () => Reflect.construct(Event, []),
      () => (Event as unknown as (type: string) => void)('x'),
      () => new Event('x', 5 as never),
      () => new Event(Symbol('x') as never),
      () => target.addEventListener('x', 5 as never),
      () => Reflect.apply(target.addEventListener, target, ['x']),
      () => target.addEventListener('x', null as never, { signal: null as never }),
      () => target.dispatchEvent({} as never),
      () => target.dispatchEvent(null as never),
      () => EventTarget.prototype.addEventListener.call({} as never, 'x', null as never),
      () => Reflect.get(Event.prototype, 'type', {}) as unknown,
      () => Reflect.construct(AbortSignal, []),
      () => Reflect.get(AbortSignal.prototype, 'aborted', null) as unknown,
      () => Reflect.apply(AbortController.prototype.abort, {}, []),
      () => AbortSignal.timeout(-1),
      () => Reflect.apply(AbortSignal.timeout, undefined, []),
      () => AbortSignal.any([5] as never),
      () => AbortSignal.any(5 as never),
      () => Reflect.construct(PromiseRejectionEvent, ['x']),
      () => new PromiseRejectionEvent('x', {} as never),
      () => new MessageEvent('x', { ports: [{}] as never }),
      () => new MessageEvent('x', { source: {} as never }),
    ];
    return attempts.map((run) => {
      try {
        run();
        return 'taken';
      } catch (error) {
        return (error as Error).name;
      }
    });
  });
  assert.equal([...new Set(names)], ['TypeError']);
  const again = await inGuest(() => {
    const target = new EventTarget();
    const event = new Event('x');
    const errors: string[] = [];
    target.addEventListener('x', () => {
      event.initEvent('other');
      try {
        target.dispatchEvent(event);
      } catch (error) {
        errors.push((error as Error).name, event.type);
      }
    });
    target.dispatchEvent(event);
    return errors;
  });
  assert.equal(again, ['InvalidStateError', 'x']);
});

test('signals: reasons, order, any, timeouts', async () => {
  const answer = await inGuest(async () => {
    const log: unknown[] = [];
    const controller = new AbortController();
    const { signal } = controller;
    const first = AbortSignal.any([signal]);
    const second = AbortSignal.any([first, new AbortController().signal]);
    for (const [i, each] of [signal, first, second].entries()) {
      each.onabort = (event) =>
        log.push([i, event.target === each, event.isTrusted, second.aborted]);
    }
    log.push(signal.aborted, signal.reason === undefined);
    controller.abort('why');
    controller.abort('again');
    log.push([
      signal.reason,
      second.reason,
      AbortSignal.any([new AbortController().signal, first]).reason,
    ]);
    try {
      second.throwIfAborted();
    } catch (error) {
      log.push(error);
    }
    const { name, code } = AbortSignal.abort().reason as DOMException;
    log.push(name, code, AbortSignal.abort(0).reason);
    const timed = AbortSignal.any([AbortSignal.timeout(2)]);
    await new Promise((resolve) => timed.addEventListener('abort', resolve));
    log.push((timed.reason as DOMException).name, timed.reason instanceof DOMException);
    return log;
  });
  assert.equal(answer, [
    false,
    true,
    [0, true, true, true],
    [1, true, true, true],
    [2, true, true, true],
    ['why', 'why', 'why'],
    'why',
    'AbortError',
    20,
    0,
    'TimeoutError',
    true,
  ]);
});

test('handler attributes keep their place', async () => {
  const log = await inGuest(() => {
    const seen: unknown[] = [];
    const controller = new AbortController();
    const { signal } = controller;
    signal.onabort = () => seen.push('never');
    signal.addEventListener('abort', () => seen.push('listener'));
    const taker = () => seen.push('handler');
    signal.onabort = taker;
    seen.push(signal.onabort === taker);
    controller.abort();
    const other = new AbortController();
    other.signal.onabort = 5 as never;
    seen.push(other.signal.onabort);
    other.signal.onabort = {} as never;
    seen.push(typeof other.signal.onabort);
    other.abort();
    return seen;
  });
  assert.equal(log, [true, 'handler', 'listener', null, 'object']);
});

test('interfaces look as WebIDL has them', async () => {
  const answers = await inGuest(() => ({
    lengths: [Event, EventTarget, AbortController, AbortSignal, DOMException, MessageEvent].map(
      (Class) => Class.length,
    ),
    methods: [
      EventTarget.prototype.addEventListener.length,
      AbortController.prototype.abort.length,
      AbortSignal.any.length,
      Event.prototype.initEvent.length,
      structuredClone.length,
      setTimeout.length,
      queueMicrotask.length,
    ],
    keys: [Object.keys(EventTarget.prototype).join(), Object.keys(AbortSignal).join()],
    tags: [String(new EventTarget()), String(new AbortController().signal)],
    inherits: [
      Object.getPrototypeOf(AbortSignal) === EventTarget,
      Object.getPrototypeOf(DOMException) === Function.prototype,
      Object.getPrototypeOf(DOMException.prototype) === Error.prototype,
      new DOMException() instanceof Error,
    ],
    global: Object.getOwnPropertyDescriptor(globalThis, 'EventTarget')?.enumerable,
    exception: [new DOMException('m', 'DataCloneError').code, DOMException.ABORT_ERR],
    stack: new DOMException('m', 'AbortError').stack?.split('\n')[0],
  }));
  assert.equal(answers, {
    lengths: [1, 0, 0, 0, 0, 1],
    methods: [2, 0, 1, 1, 1, 1, 1],
    keys: ['addEventListener,removeEventListener,dispatchEvent', 'abort,timeout,any'],
    tags: ['[object EventTarget]', '[object AbortSignal]'],
    inherits: [true, true, true, true],
    global: false,
    exception: [25, 20],
    stack: 'AbortError: m',
  });
});

test('the global object hears of errors first, and may cancel them', async () => {
  const log = await inGuest(async () => {
    const seen: unknown[] = [];
    const error = new RangeError('far');
    addEventListener('error', (event) => {
      const { message, lineno, error: cause, isTrusted } = event as ErrorEvent;
      seen.push([message, lineno > 0, cause === error, isTrusted]);
    });
    const onerror = (...[message, filename, line, column, cause]: unknown[]): boolean => {
      seen.push([typeof message, typeof filename, typeof line, typeof column, cause === error]);
      return true;
    };
    Object.assign(globalThis, { onerror });
    reportError(error);
    queueMicrotask(() => {
      throw error;
    });
    setTimeout(() => {
      throw error;
    });
    const target = new EventTarget();
    target.addEventListener('x', () => {
      throw error;
    });
    target.addEventListener('x', () => seen.push('the next listener'));
    target.dispatchEvent(new Event('x'));
    await new Promise((resolve) => setTimeout(resolve, 5));
    return seen;
  });
  const heard = [
    ['Uncaught RangeError: far', true, true, true],
    ['string', 'string', 'number', 'number', true],
  ];
  assert.equal(log, [...heard, ...heard, 'the next listener', ...heard, ...heard]);
});

test('an error that nobody cancels ends the module', async () => {
  const code = await bundleForGuest(`
    addEventListener('error', (event) => console.log('heard ' + event.message));
    reportError(new Error('still bad'));
  `);
  let message = '';
  try {
    await openBox(code);
  } catch (error) {
    message = (error as Error).message;
  }
  assert.is(message, 'still bad');
});

test.run();
