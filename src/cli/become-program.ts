/** Becomes one of our own programs: same process, same terminal, nobody in between who takes memory. */
import { type Program, programCommand } from './program-files.ts';

/** Does not return. */
export function becomeProgram(program: Program, args: readonly string[]): never {
  const { argv, env } = programCommand(program);
  const { execve, execPath } = process;
  if (execve === undefined)
    throw new Error('This system cannot replace a process: use Linux or macOS.');
  return execve(execPath, [execPath, ...argv, ...args], env);
}
