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

/**
 * What to give to Node: its flags, then the program's file. A small young generation saves the
 * supervisor about 12 MB; its messages live too shortly to notice.
 */
export function programCommand(program: Program): readonly string[] {
  const file = fileURLToPath(
    new URL(bundled ? `./${program}.js` : sources[program], import.meta.url),
  );
  return program === 'supervisor' ? ['--max-semi-space-size=2', file] : [file];
}

/** The folder that build output goes to. */
export function distFolder(): string {
  return fileURLToPath(new URL(bundled ? './' : '../../dist/', import.meta.url));
}
