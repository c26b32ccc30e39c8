/**
 * Packages with compiled code for Node, which no isolate can load. They are found by what they load it
 * with, and then count as not installed: who asks for one within `try` goes on without.
 */
import { basename } from 'node:path';
import type { Plugin } from 'esbuild';

const LOADERS =
  /^(?:bindings|node-gyp-build(?:-optional-packages)?|@mapbox\/node-pre-gyp|node-pre-gyp|pkg-prebuilds|prebuildify|node-addon-api|nan)(?:\/|$)/;

/** `found` gets their names. */
export function nativeAddons(found: Set<string>): Plugin {
  return {
    name: 'isolet-native-addons',
    setup({ onResolve }) {
      const note = ({ importer }: { readonly importer: string }): undefined => {
        const name = packageOf(importer);
        if (name !== undefined) found.add(name);
      };
      onResolve({ filter: LOADERS }, note);
      onResolve({ filter: /\.node$/ }, note);
    },
  };
}

/** The package a file belongs to, by its path; undefined = it is one of the module's own. */
function packageOf(file: string): string | undefined {
  const path = file.split('/node_modules/').at(-1);
  if (path === undefined || path === file || basename(file) === '') return undefined;
  const [scope, name] = path.split('/');
  return scope?.startsWith('@') ? `${scope}/${name}` : scope;
}
