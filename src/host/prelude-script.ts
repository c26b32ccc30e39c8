/**
 * The guest prelude, compiled once per host and then taken from V8's code cache. The cache never
 * leaves this process: a forged one would be native code (spec/isolates.md §1.8).
 */
import ivm from 'isolated-vm';

export type Prelude = {
  /** Evaluates the prelude in a fresh context. */
  run(isolate: ivm.Isolate, context: ivm.Context): Promise<void>;
};

export function createPrelude(text: string): Prelude {
  const filename = 'file:///isolet/prelude.js';
  let cachedData: ivm.ExternalCopy<ArrayBuffer> | undefined;
  return {
    async run(isolate, context) {
      const cache = cachedData === undefined ? { produceCachedData: true } : { cachedData };
      const script = await isolate.compileScript(text, { filename, ...cache });
      cachedData ??= (script as { cachedData?: ivm.ExternalCopy<ArrayBuffer> }).cachedData;
      await script.run(context);
      script.release();
    },
  };
}
