/**
 * Mains that a test cuts at a point it names. What hangs on it does nothing more from then on: no
 * timer fires, no promise settles, nothing is written, nobody is called back, as if the process were gone.
 */
import type { Cancel, Clock, Store, StoreWrite } from '../../src/core/ports.ts';

export interface Power {
  /** From here on points are noted; the power fails at the one of this name. */
  arm(cutAt: string): void;
  disarm(): void;
  isCut(): boolean;
  /** Points passed since `arm`, each with how often it was: `name #2`. */
  readonly points: readonly string[];
  /** A moment with these names. Never resolves when the power fails here, or has failed. */
  point(...names: readonly string[]): Promise<void>;
  /** The same thing, as long as there is power. Calls back, too. */
  on<T extends object>(thing: T): T;
  clock(clock: Clock): Clock;
  /** `isPoint`: which commits are points, before and after. */
  store(store: Store, isPoint: (write: StoreWrite) => string | undefined): Store;
}

const never = <T>(): Promise<T> => new Promise<T>(() => {});

export function createPower(): Power {
  const points: string[] = [];
  const timers = new Set<Cancel>();
  const counts = new Map<string, number>();
  let cutAt: string | undefined;
  let isCut = false;

  function point(...names: readonly string[]): Promise<void> {
    if (isCut) return never();
    if (cutAt === undefined) return Promise.resolve();
    for (const name of names) {
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      points.push(`${name} #${count}`);
      if (points.at(-1) === cutAt) isCut = true;
    }
    if (!isCut) return Promise.resolve();
    for (const cancel of timers) cancel();
    return never();
  }

  function call(run: (...rest: never[]) => unknown, owner: unknown, given: unknown[]): unknown {
    if (isCut) return never();
    const result = Reflect.apply(run, owner, given.map(wrap));
    if (result instanceof Promise) return result.then(passOn, passOnFault);
    return typeof result === 'object' && result !== null && hasFunctions(result)
      ? on(result)
      : result;
  }

  const passOn = <T>(value: T): T | Promise<T> => (isCut ? never<T>() : value);
  const passOnFault = (cause: unknown): Promise<never> => (isCut ? never() : Promise.reject(cause));
  const hasFunctions = (thing: object): boolean =>
    Object.values(thing).some((part) => typeof part === 'function');

  /** Arguments call back only while there is power. */
  function wrap(argument: unknown): unknown {
    if (typeof argument === 'function') {
      return (...given: unknown[]) =>
        isCut ? undefined : (argument as (...rest: unknown[]) => unknown)(...given);
    }
    const isSink = typeof argument === 'object' && argument !== null && hasFunctions(argument);
    return isSink ? on(argument) : argument;
  }

  function on<T extends object>(thing: T): T {
    return new Proxy(thing, {
      get(target, key) {
        const part: unknown = Reflect.get(target, key);
        if (typeof part !== 'function') return part;
        return (...given: unknown[]) => call(part as never, target, given);
      },
    });
  }

  return {
    points,
    isCut: () => isCut,
    arm(at) {
      cutAt = at;
    },
    disarm() {
      cutAt = undefined;
    },
    point,
    on,
    clock: (clock) => ({
      ...clock,
      after(delayMs, run) {
        if (isCut) return () => {};
        const cancel = clock.after(delayMs, () => {
          timers.delete(cancel);
          run();
        });
        timers.add(cancel);
        return () => {
          timers.delete(cancel);
          cancel();
        };
      },
    }),
    store(store, isPoint) {
      const live = on(store);
      return new Proxy(live, {
        get(target, key) {
          if (key !== 'commit') return Reflect.get(target, key) as unknown;
          return async (writes: readonly StoreWrite[]): Promise<void> => {
            const names = [...new Set(writes.flatMap((write) => isPoint(write) ?? []))];
            await point(...names.map((name) => `before the commit of ${name}`));
            await live.commit(writes);
            await point(...names.map((name) => `after the commit of ${name}`));
          };
        },
      });
    },
  };
}
