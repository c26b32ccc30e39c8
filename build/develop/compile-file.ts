/** One file as the code of a module: bundled as a module is, with all globals a module may have. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { build } from 'esbuild';
import { Fault } from '../../src/core/fault.ts';
import { bundleOptions, type CompiledModule, compiled, explained } from '../bundle-module.ts';
import { LAZY_GLOBALS, lazyGlobals } from './lazy-globals.ts';

export type FileOptions = {
  /** Runs after the file's own code. */
  readonly footer: string;
  /** The folder the sources' names in stacks are relative to. */
  readonly seenFrom: string;
};

/** Rejects with a BundleError for what is wrong in the sources, CONFIG_INVALID when there is no such file. */
export async function compileFile(
  file: string,
  { footer, seenFrom }: FileOptions,
): Promise<CompiledModule> {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    const what = existsSync(file) ? 'is no file' : 'does not exist';
    throw new Fault('CONFIG_INVALID', `${file} ${what}: name a JavaScript or TypeScript file`);
  }
  const real = realpathSync(file);
  const folder = packageFolder(dirname(real));
  const options = bundleOptions(folder, real, [LAZY_GLOBALS]);
  try {
    const { outputFiles } = await build({
      ...options,
      outfile: join(seenFrom, basename(options.outfile)),
      footer: { js: footer },
      plugins: [lazyGlobals(readFileSync(real, 'utf8')), ...options.plugins],
    });
    return compiled(outputFiles);
  } catch (cause) {
    throw await explained(cause, folder);
  }
}

/** Where the file's package.json and tsconfig.json are looked for; its own folder when there is none above. */
function packageFolder(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, 'package.json'))) return at;
    if (at === dirname(at)) return folder;
  }
}
