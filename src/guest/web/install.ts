/** Puts globals where the prelude puts its own, in the same way: a runtime that has them keeps its own. */

export function installGlobals(values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (name in globalThis) continue;
    Object.defineProperty(globalThis, name, {
      value,
      writable: true,
      configurable: true,
      enumerable: false,
    });
  }
}
