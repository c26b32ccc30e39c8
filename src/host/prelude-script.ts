/**
 * The guest prelude, compiled once per host and then taken from V8's code cache. The cache never
 * leaves this process: a forged one would be native code (spec/isolates.md §1.8).
 */
import ivm from 'isolated-vm';

type CachedData = ivm.ExternalCopy<ArrayBuffer>;

export type Prelude = {
  /** Evaluates the prelude in a fresh context. */
  run(isolate: ivm.Isolate, context: ivm.Context): Promise<void>;
};

export function createPrelude(text: string): Prelude {
  const filename = 'file:///isolet/prelude.js';
  let cache: Promise<CachedData | undefined> | undefined;

  /** The first one compiles for all: ten modules that start together wait for one, not for ten. */
  async function compile(isolate: ivm.Isolate): Promise<ivm.Script> {
    if (cache !== undefined) {
      const cachedData = await cache;
      return isolate.compileScript(text, { filename, ...(cachedData && { cachedData }) });
    }
    const compiling = isolate.compileScript(text, { filename, produceCachedData: true });
    cache = compiling.then(
      (script) => (script as { cachedData?: CachedData }).cachedData,
      () => {
        // Its isolate ended meanwhile: the next one compiles.
        cache = undefined;
        return undefined;
      },
    );
    return compiling;
  }

  return {
    async run(isolate, context) {
      const script = await compile(isolate);
      await script.run(context);
      script.release();
    },
  };
}
