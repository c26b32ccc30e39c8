/** Where the programs the CLI starts lie: beside it, as TypeScript in a checkout or bundled in dist/. */
import { fileURLToPath } from 'node:url';

declare const ISOLET_DIST: boolean | undefined;
const bundled = typeof ISOLET_DIST !== 'undefined';

export type Program = 'supervisor' | 'emulator' | 'bundle';

const sources: Readonly<Record<Program, string>> = {
  supervisor: '../main.ts',
  emulator: '../emulator/main.ts',
  bundle: '../../build/bundle.ts',
};

export function programFile(program: Program): string {
  return fileURLToPath(new URL(bundled ? `./${program}.js` : sources[program], import.meta.url));
}

/** The folder that build output goes to. */
export function distFolder(): string {
  return fileURLToPath(new URL(bundled ? './' : '../../dist/', import.meta.url));
}
