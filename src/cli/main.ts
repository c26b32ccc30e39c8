/** The command line: commands that are programs are become at once, all others stand in commands.ts. */
import { becomeProgram } from './become-program.ts';
import type { Program } from './program-files.ts';

type CommandProgram = {
  readonly program: Program;
  /** Goes before the arguments: the program has several commands. */
  readonly word?: string;
  readonly summary: string;
};

/** Commands that are programs of their own; they read their own arguments. */
const programs: Readonly<Record<string, CommandProgram>> = {
  run: { program: 'supervisor', summary: 'run the modules of this device' },
  emulator: { program: 'emulator', summary: 'an IoT Hub on your desk' },
  check: { program: 'check', summary: 'is this installation, or a deployment, as it should be?' },
  'support-bundle': {
    program: 'support-bundle',
    summary: 'what helps others to see what is wrong',
  },
  build: { program: 'bundle', summary: 'bundle modules' },
  push: { program: 'registry', word: 'push', summary: 'bring a bundle into a container registry' },
  sign: { program: 'sign', summary: 'make a key, and sign bundles with it' },
  inspect: { program: 'registry', word: 'inspect', summary: 'what a bundle is and asks for' },
  init: { program: 'develop', word: 'init', summary: 'begin a module' },
  dev: { program: 'develop', word: 'dev', summary: 'run a module while you write it' },
  test: { program: 'develop', word: 'test', summary: "run a module's samples" },
  exec: { program: 'develop', word: 'exec', summary: 'run one file exactly as a module runs' },
};

async function main([name, ...rest]: readonly string[]): Promise<number> {
  const program = name !== undefined && Object.hasOwn(programs, name) ? programs[name] : undefined;
  if (program !== undefined) {
    const { word } = program;
    becomeProgram(program.program, word === undefined ? rest : [word, ...rest]);
  }
  // Whoever becomes another program has no use for these, and does not wait for them.
  const table = await import('./commands.ts');
  const { commands, families } = table;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    process.stdout.write(overview(table));
    return name === undefined ? 1 : 0;
  }
  const family = Object.hasOwn(families, name) ? families[name] : undefined;
  if (family !== undefined) {
    const { runFamily } = await import('./command-family.ts');
    return await runFamily(name, family.commands, rest);
  }
  const { runCommand } = await import('./command.ts');
  const command = commands.find((candidate) => candidate.name === name);
  if (command !== undefined) return await runCommand(command, rest);
  process.stderr.write(`isolet: there is no command "${name}". See --help.\n`);
  return 1;
}

function overview({ commands, families }: typeof import('./commands.ts')): string {
  const rows = [
    ...commands.map(({ name, summary }) => [name, summary] as const),
    ...Object.entries(programs).map(([name, { summary }]) => [name, summary] as const),
    ...Object.entries(families).map(([name, { summary }]) => [name, summary] as const),
  ];
  const lines = rows.map(([name, summary]) => `  ${name.padEnd(16)}${summary.split('\n')[0]}`);
  return `isolet COMMAND [--help]\n\n${lines.join('\n')}\n`;
}

// A reader that has seen enough (`… | head`) is no error.
process.stdout.on('error', (cause: NodeJS.ErrnoException) => {
  if (cause.code === 'EPIPE') process.exit(0);
  throw cause;
});

process.exitCode = await main(process.argv.slice(2));
