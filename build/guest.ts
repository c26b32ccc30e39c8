/**
 * Builds the prelude, the first script of every isolate.
 *
 *   node build/guest.ts        writes dist/prelude.js
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The prelude as a plain script, pure ASCII so that V8 keeps it in one byte a character. */
export async function buildPrelude(): Promise<string> {
  const result = await build({
    entryPoints: [`${root}src/guest/prelude.ts`],
    bundle: true,
    write: false,
    format: 'iife',
    platform: 'neutral',
    mainFields: ['main'],
    target: 'es2024',
    charset: 'ascii',
    keepNames: true,
    legalComments: 'none',
    define: { NODE_VERSION: JSON.stringify(process.versions.node) },
    logLevel: 'silent',
  });
  return result.outputFiles[0]?.text ?? '';
}

if (import.meta.main) {
  mkdirSync(`${root}dist`, { recursive: true });
  writeFileSync(`${root}dist/prelude.js`, await buildPrelude());
}
