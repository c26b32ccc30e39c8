/** One file as the code of a module: bundled as a module is, with all globals a module may have. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Fault } from '../../src/core/fault.ts';
import { type CompiledModule, type CompileExtras, compileModule } from '../compile-module.ts';
import { LAZY_GLOBALS, lazyGlobals } from './lazy-globals.ts';

/** Rejects with a BundleError for what is wrong in the sources, CONFIG_INVALID when there is no such file. */
export async function compileFile(
  file: string,
  extras: Pick<CompileExtras, 'footer' | 'seenFrom'>,
): Promise<CompiledModule> {
  if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
    const what = existsSync(file) ? 'is no file' : 'does not exist';
    throw new Fault('CONFIG_INVALID', `${file} ${what}: name a JavaScript or TypeScript file`);
  }
  const real = realpathSync(file);
  const folder = packageFolder(dirname(real));
  return await compileModule(folder, relative(folder, real), {
    ...extras,
    plugins: [lazyGlobals(readFileSync(real, 'utf8'))],
    installer: LAZY_GLOBALS,
  });
}

/** Where the file's package.json and tsconfig.json are looked for; its own folder when there is none above. */
function packageFolder(folder: string): string {
  for (let at = folder; ; at = dirname(at)) {
    if (existsSync(join(at, 'package.json'))) return at;
    if (at === dirname(at)) return folder;
  }
}
