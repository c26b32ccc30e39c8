/**
 * The first script of every isolate. It builds the guest's world and leaves the boot function on the
 * global; called once with the outbox and the boot text, that one adds what only a start knows and
 * returns the door.
 *
 * Nothing of the host is needed to load it, so that it can be done ahead, or be part of a V8 snapshot.
 * That is also why no time, chance or secret may be taken before the boot.
 *
 * For the module host: the door never throws, and a call of it (or of the module's `evaluate`) is
 * rejected exactly when the module has an error nobody caught: thrown while loading, by a handler,
 * by a timer, or a promise's rejection without a handler at the end of the turn. Requests of that
 * turn have arrived by then. End the module, with the error's `stack` up to the line
 * `at (<isolated-vm boundary>)`, below which come the host's own frames and paths.
 */
import { BOOT_NAME, type GuestBoot, type GuestBootFunction } from '../core/guest-protocol.ts';
import { type Border, createBorder } from './border/border.ts';
import { createDoor } from './border/door.ts';
import { createPreciseClock, ownMap, parse, wallClock } from './border/primordials.ts';
import { createUncaught, type Uncaught } from './border/uncaught.ts';
import {
  type EventHandlers,
  SEAM,
  type Seam,
  type SignalHandler,
  type UncaughtTaker,
} from './seam.ts';
import { atob, btoa } from './world/base64.ts';
import { Buffer } from './world/buffer.ts';
import { createConsole } from './world/console.ts';
import { DOMException } from './world/dom-exception.ts';
import { EventEmitter } from './world/event-emitter.ts';
import { createGuestClock } from './world/guest-clock.ts';
import { createProcess } from './world/process.ts';
import { reduceWorld } from './world/reductions.ts';
import { structuredClone } from './world/structured-clone.ts';
import { TextDecoder, TextEncoder } from './world/text-encoding.ts';
import { createTimers } from './world/timers.ts';

/** Frames in an Error's stack: bundles are deep, and ten often end inside a library. */
const STACK_FRAMES = 20;

const world = globalThis as unknown as Record<PropertyKey, unknown>;

/** Builds the world, all but what only a start knows, and returns the boot that adds that. */
function buildWorld(): GuestBootFunction {
  let facts: GuestBoot | undefined;
  let seed: ArrayBuffer | undefined;
  let sleep: (code: number) => never;
  let closed = false;
  let loaded = false;
  let uncaughtTaker: UncaughtTaker | undefined;
  const handlers: { -readonly [Type in keyof EventHandlers]?: EventHandlers[Type] } = {};
  const signalHandlers = ownMap<string, SignalHandler>();
  const clock = createGuestClock(wallClock, createPreciseClock);
  const uncaught: Uncaught = createUncaught(
    () => process,
    () => uncaughtTaker,
    () => loaded,
  );
  const guard = (run: () => unknown): void => {
    try {
      run();
    } catch (error) {
      uncaught.report(error, 'uncaughtException');
    }
  };
  /** `await` of no promise: a microtask no module can have patched away. */
  const nextTick = async (run: () => void): Promise<void> => {
    // oxlint-disable-next-line typescript/await-thenable -- only to wait
    await undefined;
    if (!closed) guard(run);
  };
  const border: Border = createBorder(() => timers.wakeMs());
  const timers = createTimers(clock, guard, border.touch);
  const { process, begin } = createProcess({
    clock,
    nextTick: (run) => void nextTick(run),
    log: border.log,
    exit(code) {
      closed = true;
      border.exit(code);
      return sleep(code);
    },
  });
  const seam: Seam = {
    get boot() {
      return facts as GuestBoot;
    },
    EventEmitter,
    request: border.request,
    call: border.call,
    hostCall: border.hostCall,
    ack: border.ack,
    nack: border.nack,
    on(type, handler) {
      handlers[type] = handler;
    },
    onSignal: (service, handler) => void signalHandlers.set(service, handler),
    nextTick: (run) => void nextTick(run),
    uncaught: uncaught.report,
    loaded() {
      loaded = true;
    },
    onUncaught(taker) {
      uncaughtTaker = taker;
    },
    takeSeed() {
      const taken = seed;
      seed = undefined;
      if (taken !== undefined) return new Uint8Array(taken);
      throw new Error('This start of the module has no seed for random numbers left.');
    },
  };
  const performance = { now: clock.now, timeOrigin: 0 };
  const door = createDoor({
    handlers,
    reply: border.reply,
    done: border.done,
    signal: (event) => signalHandlers.get(event.service)?.(event.source, event.value),
    timers: timers.run,
    rejected: uncaught.rejected,
    refuse: (id) => border.nack(id, 'The module has no handler for inputs.'),
    guard,
    closed: () => closed,
  });

  install({
    ...timers.globals,
    console: createConsole(border.log, clock.now, () => facts?.lineMax),
    queueMicrotask(callback: () => void) {
      if (typeof callback !== 'function') {
        throw new TypeError('The "callback" argument of queueMicrotask must be of type function.');
      }
      void nextTick(callback);
    },
    performance,
    TextEncoder,
    TextDecoder,
    DOMException,
    structuredClone,
    atob,
    btoa,
    Buffer,
    process,
    global: globalThis,
    self: globalThis,
  });
  Object.defineProperty(world, SEAM, { value: seam });

  return (outbox, bootText, seedBytes) => {
    delete world[BOOT_NAME];
    seed = seedBytes;
    facts = parse(bootText) as GuestBoot;
    sleep = createSleep();
    // V8 gives a context from a snapshot what it has not in the snapshot, and dies if it is there.
    Error.stackTraceLimit = STACK_FRAMES;
    reduceWorld(world);
    clock.start();
    performance.timeOrigin = clock.originMs();
    begin(facts);
    border.open(outbox);
    return door;
  };
}

function install(values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(world, name, {
      value,
      writable: true,
      configurable: true,
      enumerable: false,
    });
  }
}

/**
 * `process.exit` does not return, and no `finally` of the module runs after it: the thread sleeps
 * until the host, which has been told, takes the isolate away.
 */
function createSleep(): (code: number) => never {
  // Taken now: a replaced Atomics.wait would be handed the one shared buffer there is.
  const { wait } = Atomics;
  const never = new Int32Array(new SharedArrayBuffer(4));
  return (code) => {
    wait(never, 0, 0, 2000);
    throw new Error(`process.exit(${code}) was called, and the host did not end the module.`);
  };
}

world[BOOT_NAME] = buildWorld();
