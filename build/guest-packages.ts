/**
 * Packages of npm that our own guest files stand on: `import … from 'isolet-package:readable-stream'`.
 * Each becomes one text, so that a module's bundle is the same wherever the packages lie.
 */
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';

const entries: Readonly<Record<string, string>> = {
  'readable-stream': `module.exports = require('readable-stream/lib/stream.js');`,
  string_decoder: `module.exports = require('string_decoder/');`,
};

/** Parts of Node these packages bring substitutes for: the guest has its own. */
const ours: Plugin = {
  name: 'isolet-guest-package',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(?:buffer|events|process\/|string_decoder\/)$/ }, ({ path, importer }) =>
      importer === '' || importer === '<stdin>'
        ? undefined
        : { path: path.replace('/', ''), external: true },
    );
    onResolve({ filter: /^safe-buffer$/ }, () => ({ path: 'buffer', external: true }));
    onResolve({ filter: /^abort-controller$/ }, ({ path }) => ({ path, namespace: 'global' }));
    onLoad({ filter: /.*/, namespace: 'global' }, () => ({
      contents: 'module.exports = globalThis',
    }));
  },
};

const made = new Map<string, Promise<string>>();

/** CommonJS text that requires nothing but the guest's own. */
export function guestPackage(name: string): Promise<string> {
  const known = made.get(name);
  if (known !== undefined) return known;
  const making = bundle(name);
  made.set(name, making);
  return making;
}

async function bundle(name: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: entries[name] ?? '',
      resolveDir: fileURLToPath(new URL('.', import.meta.url)),
    },
    bundle: true,
    write: false,
    format: 'cjs',
    platform: 'neutral',
    mainFields: ['main'],
    target: 'es2024',
    charset: 'ascii',
    // Most of a stream is names of variables.
    minifyWhitespace: true,
    minifyIdentifiers: true,
    minifySyntax: true,
    keepNames: true,
    legalComments: 'none',
    // A Blob is no stream of Node's, and its name would bring the web's streams along.
    define: { 'globalThis.Blob': 'undefined', 'bufferModule.Blob': 'undefined' },
    plugins: [ours],
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}
