/**
 * All globals a module may have, for a file that may name them only while it runs (`globalThis[name]`): those
 * its text does not name are installed when they are first looked at.
 */
import type { Plugin } from 'esbuild';
import { allInstallers, installersFor } from '../guest-globals.ts';

const NAMESPACE = 'isolet-lazy';
/** For esbuild's `inject`, with the plugin. */
export const LAZY_GLOBALS = 'isolet-lazy:globals';

/** @param text the file's own text. */
export function lazyGlobals(text: string): Plugin {
  return {
    name: NAMESPACE,
    setup(build) {
      build.onResolve({ filter: /^isolet-lazy:/ }, ({ path }) => ({ path, namespace: NAMESPACE }));
      build.onResolve({ filter: /^isolet:/, namespace: NAMESPACE }, ({ path }) => ({
        path: `src/guest/${path.slice('isolet:'.length)}`,
        namespace: 'isolet',
      }));
      build.onLoad({ filter: /.*/, namespace: NAMESPACE }, () => ({ contents: contents(text) }));
    },
  };
}

function contents(text: string): string {
  const named = new Set(installersFor(text));
  const lines = allInstallers.map(({ file, names }) => {
    if (named.has(file)) return `import ${JSON.stringify(file)};`;
    // What has no name of its own nobody can look at.
    return names.length === 0
      ? ''
      : `later(${JSON.stringify(names)}, () => require(${JSON.stringify(file)}));`;
  });
  return `${LATER}\n${lines.join('\n')}\n`;
}

/** A global one has not looked at yet is no data property; that is all there is to see of it. */
const LATER = `
const { defineProperty, getOwnPropertyDescriptor } = Object;
function later(names, install) {
  const absent = names.filter((name) => !(name in globalThis));
  const getters = new Map();
  const settle = (name, value) =>
    defineProperty(globalThis, name, { value, writable: true, configurable: true, enumerable: false });
  for (const name of absent) {
    const get = () => {
      for (const [one, getter] of getters) {
        if (getOwnPropertyDescriptor(globalThis, one)?.get === getter) delete globalThis[one];
      }
      install();
      return globalThis[name];
    };
    getters.set(name, get);
    defineProperty(globalThis, name, {
      get, set: (value) => settle(name, value), configurable: true, enumerable: false,
    });
  }
}`;
