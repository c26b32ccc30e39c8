/**
 * The guest prelude: taken from a startup snapshot, or compiled once per host and then taken from V8's
 * code cache. The cache never leaves this process: a forged one would be native code
 * (spec/isolates.md §1.8).
 */
import ivm from 'isolated-vm';
import { runFromSnapshot } from './prelude-snapshot.ts';

type CachedData = ivm.ExternalCopy<ArrayBuffer>;

export type Prelude = {
  /** What an isolate has to be made with. */
  readonly options: Pick<ivm.IsolateOptions, 'snapshot'>;
  /** Runs the prelude in a fresh context of an isolate with these options. */
  run(isolate: ivm.Isolate, context: ivm.Context): Promise<void>;
};

/** The prelude's name in stack traces. */
export const PRELUDE_FILE = 'file:///isolet/prelude.js';

/** @param snapshot what makePreludeSnapshot made of the same text; taken over, not copied. */
export function createPrelude(text: string, snapshot?: ArrayBuffer): Prelude {
  const filename = PRELUDE_FILE;
  if (snapshot !== undefined) return fromSnapshot(snapshot);
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
    options: {},
    async run(isolate, context) {
      const script = await compile(isolate);
      await script.run(context);
      script.release();
    },
  };
}

function fromSnapshot(bytes: ArrayBuffer): Prelude {
  return {
    options: { snapshot: new ivm.ExternalCopy(bytes, { transferOut: true }) },
    run: (_isolate, context) => context.eval(runFromSnapshot),
  };
}
