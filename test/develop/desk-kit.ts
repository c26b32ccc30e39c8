/** `isolet dev` and its kin as a person sees them: what they print, and what one says to them. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { until, within } from '../fakes/within.ts';

const WAIT_MS = 60_000;
const program = join(import.meta.dirname, '..', '..', 'build', 'develop.ts');

export type Started = {
  readonly child: ChildProcessWithoutNullStreams;
  /** What it has printed so far, both streams. */
  readonly text: () => string;
  say(line: string): void;
  /** Waits for it in what comes after what was waited for last. */
  sees(words: RegExp): Promise<RegExpExecArray>;
  /** Its exit code. */
  ended(): Promise<number | null>;
};

export function start(cwd: string, ...args: readonly string[]): Started {
  return startProgram(cwd, [program, ...args]);
}

/** Any program of Node's. */
export function startProgram(cwd: string, args: readonly string[]): Started {
  const child = spawn(process.execPath, args, { cwd });
  let text = '';
  let seen = 0;
  child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  return {
    child,
    text: () => text,
    say: (line) => void child.stdin.write(`${line}\n`),
    async sees(words) {
      try {
        return await until(WAIT_MS, String(words), () => {
          const found = words.exec(text.slice(seen));
          if (found === null) return undefined;
          seen += found.index + found[0].length;
          return found;
        });
      } catch (cause) {
        throw new Error(`${(cause as Error).message}; it said:\n${text}`);
      }
    },
    ended: () => within(WAIT_MS, args.join(' '), closed).finally(() => child.kill('SIGKILL')),
  };
}

export function writeFiles(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
}

/** A module that counts what it gets, and says which version of it did. */
export const counter = (version: string): string => `
import { Message, ModuleClient } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';

const client: ModuleClient = await ModuleClient.fromEnvironment(Mqtt);
client.on('inputMessage', async (input: string, message: Message) => {
  const number: number = JSON.parse(message.getBytes().toString());
  const text = JSON.stringify({ version: '${version}', number });
  await client.sendOutputEvent('out', new Message(text));
  client.complete(message, () => {});
});
client.onMethod('version', (_request, response) => response.send(200, '${version}'));
console.log('version ${version} is up');
`;
