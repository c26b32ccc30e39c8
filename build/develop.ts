/**
 * The development loop as a program: `isolet exec`, and what else one does at a desk with a module in hand.
 *
 *   node build/develop.ts exec FILE
 */
import { type Command, runCommand } from '../src/cli/command.ts';
import { BundleError } from './compile-module.ts';

/** Each is loaded when it is wanted: they have little in common. */
const commands: Readonly<Record<string, () => Promise<Command>>> = {
  dev: async () => (await import('./develop/dev.ts')).dev,
  exec: async () => (await import('./develop/exec.ts')).exec,
  init: async () => (await import('./develop/init.ts')).init,
  test: async () => (await import('./develop/test-command.ts')).testCommand,
};

// A reader that has seen enough (`… | head`) is no error.
process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
  if (cause.code === 'EPIPE') process.exit(0);
  throw cause;
});

const [name = '', ...words] = process.argv.slice(2);
// A value that may be left out is nothing `parseArgs` knows.
const rest = words.map((word) => (/^--inspect(-brk)?$/.test(word) ? `${word}=` : word));
try {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (load === undefined) throw new Error(`there is no command "${name}"`);
  process.exitCode = await runCommand(await load(), rest);
} catch (cause) {
  if (!(cause instanceof BundleError)) throw cause;
  process.stderr.write(`${cause.message}\n`);
  process.exitCode = 1;
}

// Whatever was begun for this command ends with it: a host leaves when its pipe is closed.
for (const stream of [process.stdout, process.stderr]) {
  await new Promise<void>((resolve) => stream.write('', () => resolve()));
}
process.exit();
