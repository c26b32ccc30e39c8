/** Commands of two or three words that belong together: `isolet cloud …`, `isolet route …`. */
import { type Command, runCommand } from './command.ts';

/** Runs the one that `argv` names; each command's name begins with the family's. */
export async function runFamily(
  family: string,
  commands: readonly Command[],
  argv: readonly string[],
): Promise<number> {
  for (const command of commands) {
    const words = command.name.split(' ').slice(1);
    if (words.every((word, index) => argv[index] === word)) {
      return await runCommand(command, argv.slice(words.length));
    }
  }
  const lines = commands.map(
    ({ name, summary }) => `  ${name.padEnd(24)}${summary.split('\n')[0]}`,
  );
  const text = `isolet ${family} COMMAND [--help]\n\n${lines.join('\n')}\n`;
  const help = argv[0] === '--help' || argv[0] === '-h';
  if (help || argv.length === 0) process.stdout.write(text);
  else process.stderr.write(`isolet ${family}: there is no command "${argv.join(' ')}"\n\n${text}`);
  return help ? 0 : 1;
}
