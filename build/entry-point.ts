/**
 * Where a bundle begins when it needs globals installed: they first, then the module. esbuild's own `inject`
 * makes every file import them, our own among them, and the order in which those begin is then anybody's guess.
 */
import { join } from 'node:path';
import type { Plugin } from 'esbuild';

const NAMESPACE = 'isolet-entry';
export const ENTRY_POINT = 'isolet-entry';

/** `main` is below `folder`; `installers` are those of guest-globals.ts, or what another plugin knows. */
export function entryPoint(folder: string, main: string, installers: readonly string[]): Plugin {
  const contents = [...installers, 'main']
    .map((name) => `import ${JSON.stringify(name)};`)
    .join('');
  return {
    name: NAMESPACE,
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^isolet-entry$/ }, ({ path, kind }) =>
        kind === 'entry-point' ? { path, namespace: NAMESPACE } : undefined,
      );
      onResolve({ filter: /^main$/, namespace: NAMESPACE }, () => ({
        path: join(folder, main),
        // Whatever its package.json says: it is what runs.
        sideEffects: true,
      }));
      onResolve({ filter: /^isolet:/, namespace: NAMESPACE }, ({ path }) => ({
        path: `src/guest/${path.slice('isolet:'.length)}`,
        namespace: 'isolet',
        sideEffects: true,
      }));
      onLoad({ filter: /.*/, namespace: NAMESPACE }, () => ({ contents, resolveDir: folder }));
    },
  };
}
