/** `isolet dev FOLDER`: a module runs while it is written; each save is running a moment later. */
import { appendFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { Arguments, Command } from '../../src/cli/command.ts';
import type { Json } from '../../src/core/json.ts';
import { stripMetadata } from '../../src/core/twin.ts';
import {
  BundleError,
  type CompiledModule,
  type CompileExtras,
  compileModule,
} from '../compile-module.ts';
import { openDebugHost, PLAIN } from './debug-host.ts';
import { debuggable, readInspectPort } from './debuggable.ts';
import { createDesk, type Desk } from './desk.ts';
import { openDeskHost } from './desk-host.ts';
import { moduleOptions, readDeskModule } from './desk-module.ts';
import { DEV_HELP, readDevCommand } from './dev-commands.ts';
import { GRANT_HELP } from './grant-words.ts';
import { createTerminal } from './terminal.ts';
import { watchFolder } from './watch-folder.ts';

export const dev: Command = {
  name: 'dev',
  words: '[FOLDER]',
  wordsMin: 0,
  wordsMax: 1,
  summary: `run a module while you write it: each save runs a moment later

Runs the module in FOLDER (default: here) as a device would, and swaps it on each save; messages wait
meanwhile. Shows its log, what it sends, and its twin; twin.json holds the desired properties it starts
with. Say on the keyboard, a line each:

${DEV_HELP}

${GRANT_HELP}`,
  options: {
    ...moduleOptions,
    out: { type: 'string', value: 'FILE', help: 'also write what it sends to FILE, as JSON lines' },
    inspect: {
      type: 'string',
      value: '[=PORT]',
      help: 'open a debugger (default port 9229); the module then runs in plain Node, without an isolate',
    },
  },
  run: runDev,
};

async function runDev(args: Arguments): Promise<number> {
  const module = readDeskModule(args.words[0] ?? '.', args);
  const { folder, main, name } = module.source;
  const inspectPort = readInspectPort(args.text('inspect'));
  const outFile = args.text('out');
  const out = outFile === undefined ? undefined : resolve(outFile);
  const terminal = createTerminal();
  const say = (text: string): void => {
    terminal.line('info', text);
    void terminal.relief();
  };
  const { host } =
    inspectPort === undefined
      ? await openDeskHost({ spareMs: 60_000 }, module.start.grants)
      : await openDebugHost({ port: inspectPort, waits: false, say });

  if (inspectPort !== undefined) say(PLAIN);
  const desk: Desk = createDesk(host, module.start, module.twin, {
    log: (level, text) => say(`${level.padEnd(5)} ${text}`),
    output(output, body, properties) {
      say(`   out ${output ?? '(unnamed)'} ${shown(body, properties)}`);
      const line = { output, body, ...(Object.keys(properties).length > 0 && { properties }) };
      if (out !== undefined) appendFileSync(out, `${JSON.stringify(line)}\n`);
    },
    reported: (patch) => say(`report ${JSON.stringify(patch)}`),
    handled() {},
    failed: ({ input, body }, reason) =>
      say(`failed ${input} ${JSON.stringify(body)}: ${reason} It waits for the next version.`),
    ended({ cause, reason, exitCode }) {
      if (stopping) return;
      const hint =
        cause === 'out of time' && !reason.includes('\n    at ')
          ? '\n      To see where: run it with --inspect, and pause.'
          : '';
      say(`ended (${exitCode}): ${reason}${hint}\n      Save a change, or say restart.`);
    },
    quiet() {},
  });

  const memory: NonNullable<CompileExtras['memory']> = {};
  let current: CompiledModule | undefined;
  let starts = 0;
  /** Saves that came while another was at work; the first one counts for the time it takes. */
  let next: number | undefined;
  let working = false;
  let stopping = false;

  async function build(): Promise<CompiledModule | undefined> {
    try {
      const made = await compileModule(folder, main, { memory });
      return inspectPort === undefined ? made : debuggable(made, folder);
    } catch (cause) {
      if (!(cause instanceof BundleError)) throw cause;
      say(cause.message);
      say(desk.running() ? 'The version before runs on.' : 'Nothing runs. Save a change.');
      return undefined;
    }
  }

  async function renew(savedMs: number): Promise<void> {
    next ??= savedMs;
    if (working) return;
    working = true;
    while (next !== undefined) {
      const sinceMs: number = next;
      next = undefined;
      const made = await build();
      // Saved, but nothing of it is in the bundle.
      if (made === undefined || (made.code === current?.code && desk.running())) continue;
      current = made;
      await start(made, sinceMs);
    }
    working = false;
  }

  async function start(made: CompiledModule, sinceMs: number): Promise<void> {
    const builtMs = performance.now();
    if (!(await desk.run(made))) return;
    const nowMs = performance.now();
    const waiting = desk.waiting() === 0 ? '' : `; ${desk.waiting()} messages waited`;
    const since = starts++ === 0 ? 'the start' : 'the save';
    say(
      `${name} runs: ${Math.round(nowMs - sinceMs)} ms after ${since} (${Math.round(builtMs - sinceMs)} ms to build)${waiting}`,
    );
  }

  for (const sentence of module.missing) say(sentence);
  say(`${relative(process.cwd(), folder) || '.'}: say help for what you can do, quit to end.`);
  const watch = watchFolder(folder, out, (atMs) => void renew(atMs));
  const over = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => over.resolve());
  await renew(performance.now());

  const lines = createInterface({ input: process.stdin });
  lines.on('line', (line) => {
    const command = readDevCommand(line);
    switch (command.t) {
      case 'input':
        say(`    in ${command.input} ${shown(command.body, command.properties)}`);
        return desk.input(command);
      case 'desired':
        desk.desire(command.patch);
        return say(`desired ${JSON.stringify(desk.twin().desired)}`);
      case 'method':
        return void desk
          .method(command.name, command.payload)
          .then((reply) =>
            say(
              reply === undefined
                ? `${command.name} was not answered: the module listens to no such method`
                : `${command.name} answered ${reply.status} ${JSON.stringify(reply.payload)}`,
            ),
          );
      case 'twin':
        for (const [section, value] of Object.entries(desk.twin())) {
          say(`${section} ${JSON.stringify(stripMetadata(value))}`);
        }
        return;
      case 'restart':
        return current === undefined ? undefined : void start(current, performance.now());
      case 'help':
        return say(DEV_HELP);
      case 'quit':
        return over.resolve();
      case 'problem':
        return say(command.text);
      case 'nothing':
    }
  });
  await over.promise;
  stopping = true;
  lines.close();
  watch.close();
  await host.stop();
  await terminal.flushed();
  process.stdin.destroy();
  return 0;
}

function shown(body: Json, properties: Readonly<Record<string, string>>): string {
  const text = JSON.stringify(body);
  return Object.keys(properties).length === 0 ? text : `${text} ${JSON.stringify(properties)}`;
}
