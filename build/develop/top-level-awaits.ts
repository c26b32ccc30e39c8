/** Where a file waits at its top level: esbuild names all such places when it is to make a script of it, which cannot. */
import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { type BuildFailure, type Loader, transform } from 'esbuild';

/** `line:column`, both from 1, in the file's order. */
export async function topLevelAwaits(file: string): Promise<readonly string[]> {
  const loader = extname(file).slice(1).replace(/^[cm]/, '') as Loader;
  try {
    await transform(readFileSync(file), { format: 'iife', loader, logLevel: 'silent' });
    return [];
  } catch (cause) {
    const { errors = [] } = cause as Partial<BuildFailure>;
    return errors.flatMap(({ text, location }) =>
      location !== null && text.startsWith('Top-level await')
        ? [`${location.line}:${location.column + 1}`]
        : [],
    );
  }
}
