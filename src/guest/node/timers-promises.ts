/** Stands in for `node:timers/promises`. */

export function setTimeout<Value = void>(delayMs?: number, value?: Value): Promise<Value> {
  return new Promise((resolve) => {
    globalThis.setTimeout(() => resolve(value as Value), delayMs);
  });
}

export function setImmediate<Value = void>(value?: Value): Promise<Value> {
  return new Promise((resolve) => {
    globalThis.setImmediate(() => resolve(value as Value));
  });
}

/** A tick each `delayMs`; those that came while the loop was busy are given at once, none is lost. */
export async function* setInterval<Value = void>(
  delayMs?: number,
  value?: Value,
): AsyncGenerator<Value> {
  let ticks = 0;
  let wake: (() => void) | undefined;
  const timer = globalThis.setInterval(() => {
    ticks++;
    wake?.();
  }, delayMs);
  try {
    for (;;) {
      if (ticks === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      ticks--;
      yield value as Value;
    }
  } finally {
    globalThis.clearInterval(timer);
  }
}

export const scheduler = {
  wait: (delayMs: number): Promise<void> => setTimeout(delayMs),
};

// oxlint-disable-next-line import/no-default-export -- modules write `import timers from`
export default { scheduler, setImmediate, setInterval, setTimeout };
