/** Stands in for `node:timers/promises`. */
import { abortReason, type Signal, whenAborted } from './node-errors.ts';

/** `ref` makes no difference: a module lives until it is stopped. */
type Options = { readonly signal?: Signal; readonly ref?: boolean };

/** A promise of what `begin` starts, and what ends that. */
function wait<Value>(
  value: Value | undefined,
  { signal }: Options,
  begin: (done: () => void) => () => void,
): Promise<Value> {
  if (signal?.aborted === true) return Promise.reject(abortReason(signal));
  return new Promise((resolve, reject) => {
    const clear = begin(() => {
      stop();
      resolve(value as Value);
    });
    const stop = whenAborted(signal, () => {
      clear();
      reject(abortReason(signal as Signal));
    });
  });
}

export function setTimeout<Value = void>(
  delayMs?: number,
  value?: Value,
  options: Options = {},
): Promise<Value> {
  return wait(value, options, (done) => {
    const timer = globalThis.setTimeout(done, delayMs);
    return () => globalThis.clearTimeout(timer);
  });
}

export function setImmediate<Value = void>(value?: Value, options: Options = {}): Promise<Value> {
  return wait(value, options, (done) => {
    const immediate = globalThis.setImmediate(done);
    return () => globalThis.clearImmediate(immediate);
  });
}

/** A tick each `delayMs`; those that came while the loop was busy are given at once, none is lost. */
export async function* setInterval<Value = void>(
  delayMs?: number,
  value?: Value,
  { signal }: Options = {},
): AsyncGenerator<Value> {
  const isAborted = (): boolean => signal?.aborted === true;
  if (isAborted()) throw abortReason(signal as Signal);
  let ticks = 0;
  let wake: (() => void) | undefined;
  const timer = globalThis.setInterval(() => {
    ticks++;
    wake?.();
  }, delayMs);
  const stop = whenAborted(signal, () => wake?.());
  try {
    for (;;) {
      if (ticks === 0 && !isAborted()) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      if (isAborted()) throw abortReason(signal as Signal);
      ticks--;
      yield value as Value;
    }
  } finally {
    stop();
    globalThis.clearInterval(timer);
  }
}

export const scheduler = {
  wait: (delayMs: number, options?: Options): Promise<void> =>
    setTimeout<void>(delayMs, undefined, options),
  yield: (): Promise<void> => setImmediate<void>(),
};

// oxlint-disable-next-line import/no-default-export -- modules write `import timers from`
export default { scheduler, setImmediate, setInterval, setTimeout };
