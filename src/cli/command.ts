/** What a command of the CLI is, and how its arguments are read. */
import { parseArgs } from 'node:util';
import { Fault } from '../core/fault.ts';

export type Option = {
  readonly type: 'string' | 'boolean';
  readonly short?: string;
  /** It may be given several times. */
  readonly multiple?: boolean;
  /** What stands for the value in the help, e.g. `FILE`. */
  readonly value?: string;
  readonly help: string;
};

export type Arguments = {
  readonly words: readonly string[];
  text(option: string): string | undefined;
  /** All values of an option that may be given several times. */
  texts(option: string): readonly string[];
  flag(option: string): boolean;
  /** A whole number above 0. Throws CONFIG_INVALID naming the option. */
  count(option: string, fallback: number): number;
};

export type Command = {
  readonly name: string;
  /** The words after the name, e.g. `MODULE`. */
  readonly words: string;
  /** Bounds for the number of words. */
  readonly wordsMin: number;
  readonly wordsMax: number;
  readonly summary: string;
  readonly options: Readonly<Record<string, Option>>;
  /** Resolves with the exit code. */
  run(args: Arguments): Promise<number>;
};

const helpOption: Option = { type: 'boolean', short: 'h', help: 'print this' };

/** Runs one command. A Fault becomes a sentence on stderr and exit code 1, never a stack. */
export async function runCommand(command: Command, argv: readonly string[]): Promise<number> {
  try {
    const args = readArguments(command, argv);
    if (args.flag('help')) {
      process.stdout.write(describe(command));
      return 0;
    }
    return await command.run(args);
  } catch (cause) {
    if (!(cause instanceof Fault)) throw cause;
    process.stderr.write(`isolet ${command.name}: ${cause.message}\n`);
    return 1;
  }
}

function readArguments(command: Command, argv: readonly string[]): Arguments {
  let values: Record<string, unknown>;
  let words: string[];
  try {
    const options = { ...command.options, help: helpOption };
    const parsed = parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: Object.fromEntries(
        Object.entries(options).map(
          ([name, { type, short, multiple = false }]: [string, Option]) => [
            name,
            { type, multiple, ...(short && { short }) },
          ],
        ),
      ),
    });
    values = parsed.values;
    words = parsed.positionals;
  } catch (cause) {
    throw new Fault('CONFIG_INVALID', `${(cause as Error).message}. See --help.`, { cause });
  }
  if (
    values['help'] !== true &&
    (words.length < command.wordsMin || words.length > command.wordsMax)
  ) {
    throw new Fault(
      'CONFIG_INVALID',
      `usage: isolet ${command.name} ${command.words}. See --help.`,
    );
  }
  const text = (option: string): string | undefined => values[option] as string | undefined;
  return {
    words,
    text,
    texts: (option) => (values[option] as readonly string[] | undefined) ?? [],
    flag: (option) => values[option] === true,
    count(option, fallback) {
      const given = text(option);
      if (given === undefined) return fallback;
      if (/^[0-9]{1,9}$/.test(given)) return Number(given);
      throw new Fault('CONFIG_INVALID', `--${option} must be a whole number, it is "${given}"`);
    },
  };
}

function describe({ name, words, summary, options }: Command): string {
  const rows = Object.entries({ ...options, help: helpOption }).map(
    ([option, { value, short, help }]) => [
      `  ${short === undefined ? '    ' : `-${short}, `}--${option}${value === undefined ? '' : ` ${value}`}`,
      help,
    ],
  );
  const width = Math.max(...rows.map(([left]) => (left as string).length));
  const lines = rows.map(([left, help]) => `${(left as string).padEnd(width)}  ${help}`);
  return `isolet ${name} ${words}\n\n${summary}\n\n${lines.join('\n')}\n`;
}
