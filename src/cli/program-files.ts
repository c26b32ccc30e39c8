/** Where the programs the CLI starts lie: beside it, as TypeScript in a checkout or bundled in dist/. */
import { fileURLToPath } from 'node:url';

declare const ISOLET_DIST: boolean | undefined;
const bundled = typeof ISOLET_DIST !== 'undefined';

export type Program =
  | 'supervisor'
  | 'emulator'
  | 'bundle'
  | 'check'
  | 'support-bundle'
  | 'registry'
  | 'sign'
  | 'develop';

const sources: Readonly<Record<Program, string>> = {
  supervisor: '../main.ts',
  emulator: '../emulator/main.ts',
  bundle: '../../build/bundle.ts',
  check: '../check.ts',
  'support-bundle': '../support-bundle.ts',
  registry: '../registry-commands.ts',
  sign: '../sign-command.ts',
  develop: '../../build/develop.ts',
};

const shipped: Readonly<Record<Program, string>> = {
  supervisor: './supervisor.cjs',
  emulator: './emulator.js',
  bundle: './bundle.js',
  check: './check.js',
  'support-bundle': './support-bundle.js',
  registry: './registry.js',
  sign: './sign.js',
  develop: './develop.js',
};

/** The supervisor runs for years and mostly waits (docs/decisions/0014-small-at-rest.md has the figures). */
const SUPERVISOR_FLAGS = [
  '--max-semi-space-size=2', // its messages live too shortly to notice
  '--no-maglev',
  '--no-node-snapshot', // starts 45 ms later, and leaves 5 MB of the binary on the disk
  // The optimizing compiler is 8 MB of code. It comes when there is work for it, ten times later.
  '--invocation-count-for-turbofan=30000',
  '--invocation-count-for-osr=5000',
  // What was not run between two collections is compiled again when it is next called.
  '--bytecode-old-age=1',
  '--flush-baseline-code',
  '--disable-warning=ExperimentalWarning', // of node:ffi, see src/lib/trim-malloc.ts
];
/** For glibc: what was needed in a busy minute goes back to the kernel. */
const SUPERVISOR_ENV = { MALLOC_MMAP_THRESHOLD_: '65536', MALLOC_ARENA_MAX: '2' };

/** How a program is run: Node's arguments, the program's file last, and its environment. */
export type ProgramCommand = {
  readonly argv: readonly string[];
  readonly env: NodeJS.ProcessEnv;
};

export function programCommand(program: Program): ProgramCommand {
  const file = fileURLToPath(
    new URL(bundled ? shipped[program] : sources[program], import.meta.url),
  );
  switch (program) {
    case 'supervisor':
      return {
        argv: [...SUPERVISOR_FLAGS, file],
        env: { ...SUPERVISOR_ENV, ...process.env },
      };
    case 'emulator':
      return { argv: [...SUPERVISOR_FLAGS, file], env: { ...SUPERVISOR_ENV, ...process.env } };
    case 'check': // isolated-vm requires it.
      return { argv: ['--no-node-snapshot', file], env: process.env };
    default:
      return { argv: [file], env: process.env };
  }
}

/** The folder that build output goes to. */
export function distFolder(): string {
  return fileURLToPath(new URL(bundled ? './' : '../../dist/', import.meta.url));
}
