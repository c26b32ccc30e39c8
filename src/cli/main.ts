/** The command line: one table of commands. */

import { becomeProgram } from './become-program.ts';
import { cloudCommands } from './cloud/cloud.ts';
import { type Command, runCommand } from './command.ts';
import { runFamily } from './command-family.ts';
import { deadLetterCommands } from './dead-letter.ts';
import { demo } from './demo.ts';
import { list } from './list.ts';
import { logs } from './logs.ts';
import { meter } from './meter.ts';
import type { Program } from './program-files.ts';
import { routeCommands } from './route/route.ts';
import { status } from './status.ts';

const commands: readonly Command[] = [demo, list, logs, meter, status];

/** Commands that are programs of their own; they read their own arguments. */
type CommandProgram = {
  readonly program: Program;
  /** Goes before the arguments: the program has several commands. */
  readonly word?: string;
  readonly summary: string;
};

const programs: Readonly<Record<string, CommandProgram>> = {
  run: { program: 'supervisor', summary: 'run the modules of this device' },
  emulator: { program: 'emulator', summary: 'an IoT Hub on your desk' },
  check: { program: 'check', summary: 'is this installation, or a deployment, as it should be?' },
  build: { program: 'bundle', summary: 'bundle modules' },
  init: { program: 'develop', word: 'init', summary: 'begin a module' },
  dev: { program: 'develop', word: 'dev', summary: 'run a module while you write it' },
  test: { program: 'develop', word: 'test', summary: "run a module's samples" },
  exec: { program: 'develop', word: 'exec', summary: 'run one file exactly as a module runs' },
};

/** Commands of several words. */
const families: Readonly<
  Record<string, { readonly commands: readonly Command[]; readonly summary: string }>
> = {
  cloud: {
    commands: cloudCommands,
    summary: 'what you do at the hub: deployments, twins, methods, events',
  },
  'dead-letter': {
    commands: deadLetterCommands,
    summary: 'messages that failed too often: look, send again, throw away',
  },
  route: { commands: routeCommands, summary: 'try routes and conditions before they are deployed' },
};

async function main(argv: readonly string[]): Promise<number> {
  const [name, ...rest] = argv;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(overview());
    return name === undefined ? 1 : 0;
  }
  const family = Object.hasOwn(families, name) ? families[name] : undefined;
  if (family !== undefined) return await runFamily(name, family.commands, rest);
  const program = Object.hasOwn(programs, name) ? programs[name] : undefined;
  if (program !== undefined) {
    const { word } = program;
    becomeProgram(program.program, word === undefined ? rest : [word, ...rest]);
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return await runCommand(command, rest);
  process.stderr.write(`isolet: there is no command "${name}". See --help.\n`);
  return 1;
}

function overview(): string {
  const rows = [
    ...commands.map(({ name, summary }) => [name, summary] as const),
    ...Object.entries(programs).map(([name, { summary }]) => [name, summary] as const),
    ...Object.entries(families).map(([name, { summary }]) => [name, summary] as const),
  ];
  const lines = rows.map(([name, summary]) => `  ${name.padEnd(13)}${summary.split('\n')[0]}`);
  return `isolet COMMAND [--help]\n\n${lines.join('\n')}\n`;
}

// A reader that has seen enough (`… | head`) is no error.
process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
  if (cause.code === 'EPIPE') process.exit(0);
  throw cause;
});

process.exitCode = await main(process.argv.slice(2));
