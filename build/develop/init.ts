/** `isolet init NAME`: a folder with a module that runs, is tested, and says what to do next. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import type { Arguments, Command } from '../../src/cli/command.ts';
import { Fault } from '../../src/core/fault.ts';
import { initFiles } from './init-files.ts';

const NAME_LENGTH_MAX = 128;

export const init: Command = {
  name: 'init',
  words: 'NAME',
  wordsMin: 1,
  wordsMax: 1,
  summary: `begin a module: a folder with TypeScript, a test, samples and a twin

Makes the folder NAME, which must not exist or be empty. What is in it runs at once:

  isolet test NAME    its samples, in an isolate
  isolet dev NAME     run it while you write it
  isolet build NAME   the bundle for a device`,
  options: {},
  run: runInit,
};

async function runInit(args: Arguments): Promise<number> {
  const name = args.words[0] as string;
  const problems = nameProblems(name);
  const folder = resolve(name);
  if (problems.length === 0 && existsSync(folder)) {
    if (!isEmptyFolder(folder)) {
      problems.push(
        `${folder} is there already, and init changes nothing that is: take another name`,
      );
    }
  }
  if (problems.length > 0) throw new Fault('CONFIG_INVALID', problems.join('\n'));
  for (const [path, text] of Object.entries(initFiles(name))) {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    // Never over a file that came meanwhile.
    writeFileSync(file, text, { flag: 'wx' });
    process.stdout.write(`${join(name, path)}\n`);
  }
  process.stdout.write(`\nNext: isolet test ${name}, then isolet dev ${name}\n`);
  return 0;
}

/** What npm, IoT Hub and a bundle's file name say together. */
export function nameProblems(name: string): string[] {
  const problems: string[] = [];
  const complain = (what: string): void => void problems.push(`the name "${name}" ${what}`);
  if (name === '') complain('is empty');
  const strange = [...new Set(name.replace(/[A-Za-z0-9._-]/g, ''))].join('');
  if (strange !== '') {
    complain(`has ${JSON.stringify(strange)}: a name has letters, digits, ".", "_" and "-" only`);
  }
  if (/[A-Z]/.test(name)) {
    complain(`has capital letters, which npm does not take: write "${name.toLowerCase()}"`);
  }
  if (/^[._-]/.test(name)) complain('must begin with a letter or a digit');
  if (name.length > NAME_LENGTH_MAX) {
    complain(`has ${name.length} characters, ${NAME_LENGTH_MAX} is the most`);
  }
  if (name === 'node_modules') complain("is npm's own");
  return problems;
}

function isEmptyFolder(path: string): boolean {
  try {
    return readdirSync(path).length === 0;
  } catch {
    return false;
  }
}
