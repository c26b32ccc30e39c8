/**
 * Gives a module's imports the meaning they have in an isolate (see guest-imports.ts), by `import` and
 * by `require`, from its own files and from its dependencies'. Our files get names of their own
 * (`isolet:src/guest/…`), so that a bundle is the same wherever the checkout lies.
 */
import { readFile } from 'node:fs/promises';
import { posix, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OnResolveResult, Plugin } from 'esbuild';
import { guestImports } from './guest-imports.ts';
import { guestPackage } from './guest-packages.ts';

const NAMESPACE = 'isolet';
/** Where guest packages lie in the eyes of a bundle. */
const PACKAGES = 'src/guest/packages/';
const root = fileURLToPath(new URL('..', import.meta.url));

/** What is behind `import … from 'isolet'`: of it only what a module names is bundled. */
const SPARING = 'src/guest/isolet/';

/** What a module may import without bringing it along. */
export const guestNames: readonly string[] = Object.keys(guestImports);

export const guestPlugin: Plugin = {
  name: 'isolet-guest',
  setup(build) {
    build.onResolve({ filter: /.*/, namespace: NAMESPACE }, ({ path, importer }) =>
      path.startsWith('.') ? inGuest(posix.join(posix.dirname(importer), path)) : undefined,
    );
    build.onResolve({ filter: /^isolet-package:/, namespace: NAMESPACE }, ({ path }) => ({
      path: `${PACKAGES}${path.slice('isolet-package:'.length)}`,
      namespace: NAMESPACE,
      sideEffects: false,
    }));
    // Those of guest-globals.ts.
    build.onResolve({ filter: /^isolet:/ }, ({ path, kind }) =>
      kind === 'entry-point'
        ? { path: `src/guest/${path.slice('isolet:'.length)}`, namespace: NAMESPACE }
        : undefined,
    );
    build.onResolve({ filter: /^[a-z]/ }, ({ path, namespace }) => {
      // What our own files import besides is a package of ours, not of the module.
      const ours =
        namespace === NAMESPACE && !(path in guestImports)
          ? fileURLToPath(import.meta.resolve(path))
          : undefined;
      const file = guestImports[path] ?? ours;
      return file === undefined
        ? undefined
        : { path: relative(root, file), namespace: NAMESPACE, sideEffects: false };
    });
    build.onLoad({ filter: /.*/, namespace: NAMESPACE }, async ({ path }) => ({
      contents: path.startsWith(PACKAGES)
        ? await guestPackage(path.slice(PACKAGES.length))
        : await readFile(`${root}${path}`, 'utf8'),
      loader: 'ts',
    }));
  },
};

function inGuest(path: string): OnResolveResult {
  return { path, namespace: NAMESPACE, ...(path.startsWith(SPARING) && { sideEffects: false }) };
}
