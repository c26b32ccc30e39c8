/** `isolet exec FILE`: one JavaScript or TypeScript file, run as a module runs, with its console on the terminal. */
import { basename, relative, resolve } from 'node:path';
import type { Arguments, Command } from '../../src/cli/command.ts';
import { Fault } from '../../src/core/fault.ts';
import { fieldsText } from '../../src/core/fields-text.ts';
import { noUse } from '../../src/core/module-use.ts';
import type { Ending } from '../../src/core/ports.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { startLiveModule } from '../../src/supervisor/live-module.ts';
import { createOwnMetrics } from '../../src/supervisor/own-metrics.ts';
import { openDebugHost, PLAIN } from './debug-host.ts';
import { debuggable, readInspectPort } from './debuggable.ts';
import { DESK_GROUP, openDeskHost } from './desk-host.ts';
import { createDeskBlobs, createDeskKeeper } from './desk-kept.ts';
import { createDeskTwin } from './desk-twin.ts';
import { END_METHOD, endFooter } from './exec-end.ts';
import { GRANT_HELP, readGrantWords } from './grant-words.ts';
import { quietHost } from './quiet-host.ts';
import { createTerminal } from './terminal.ts';

const MEMORY_MB = 256;
const TIME_S = 60;
/** What the host may take to load the file. */
const START_MS = 5_000;
/** And to cut code short. */
const CUT_MS = 500;
/** As Node: the top level waits for something that will never come. */
const UNSETTLED = 13;

export const exec: Command = {
  name: 'exec',
  words: 'FILE',
  wordsMin: 1,
  wordsMax: 1,
  summary: `run one file exactly as a module runs, in an isolate

Bundles FILE (JavaScript or TypeScript) as "isolet build" does and runs it in a module host. Its console
goes to stdout (debug, info, log) and stderr (warn, error). Ends with 0 when nothing is left to do, with 1
after an error nobody caught, or with what process.exit was given.

${GRANT_HELP}`,
  options: {
    grant: { type: 'string', multiple: true, value: 'WHAT', help: 'what it may use; see above' },
    memory: { type: 'string', value: 'MB', help: `heap of its isolate (default ${MEMORY_MB})` },
    time: {
      type: 'string',
      value: 'S',
      help: `seconds it may take; without it, ${TIME_S} s of CPU time at a stretch`,
    },
    'inspect-brk': {
      type: 'string',
      value: '[=PORT]',
      help: 'wait for a debugger (default port 9229), then stop at the first line; without an isolate',
    },
  },
  run: runExec,
};

async function runExec(args: Arguments): Promise<number> {
  const file = resolve(args.words[0] as string);
  const granted = readGrantWords(args.texts('grant'), (path) => resolve(path));
  const timeS = args.count('time', 0);
  const port = readInspectPort(args.text('inspect-brk'));
  const terminal = createTerminal();
  const say = (text: string): void => terminal.problem(text);
  const seenFrom = process.cwd();
  // The compiler is loaded and works while the host starts.
  const [compiled, desk] = await Promise.all([
    import('./compile-file.ts').then(({ compileFile }) =>
      compileFile(file, { footer: endFooter, seenFrom }),
    ),
    port === undefined
      ? openDeskHost({}, granted.grants)
      : openDebugHost({ port, waits: true, say }),
  ]);
  if (port !== undefined) say(PLAIN);
  const { code, sourceMap } = port === undefined ? compiled : debuggable(compiled, seenFrom, true);
  const twin = createDeskTwin({});
  const over = Promise.withResolvers<Ending>();
  let loaded = false;
  /** Its end has been asked for, and waits for this. */
  let answerEnd: (() => void) | undefined;

  const name = basename(file);
  const device = 'desk';
  const turnMs = (timeS || TIME_S) * 1000;
  const live = startLiveModule(
    {
      module: name,
      code,
      sourceMap,
      device,
      env: { IOTEDGE_DEVICEID: device, IOTEDGE_MODULEID: name, ...granted.env },
      grants: granted.grants,
      limits: {
        heapMb: args.count('memory', MEMORY_MB),
        startMs: turnMs,
        turnMs,
        logLineLengthMax: Number.MAX_SAFE_INTEGER,
      },
      group: DESK_GROUP,
    },
    quietHost(desk.host, onQuiet),
    {
      accept: (_message, settled) => settled(undefined),
      readTwin: async () => twin.read(),
      report: async (_module, patch) => twin.report(patch),
      invoke(_device, module, { name: method }) {
        if (method === END_METHOD) return onEnd();
        const whom = module === null ? 'the device' : `module ${module}`;
        return Promise.reject(
          new Fault('ENDPOINT_AWAY', `isolet exec runs one file alone: ${whom} is not there`),
        );
      },
      ownMetrics: createOwnMetrics(),
      blobs: createDeskBlobs(),
      keep: createDeskKeeper().carryOut,
      log: (_module, level, text, fields) => terminal.line(level, text + fieldsText(fields)),
      relief: terminal.relief,
    },
    systemClock,
    noUse(),
    { started: () => allow(CUT_MS), listens() {}, ended: (ending) => over.resolve(ending) },
  );

  function onEnd(): Promise<{ status: number; payload: null }> {
    loaded = true;
    return new Promise((answer) => {
      answerEnd = () => answer({ status: 200, payload: null });
    });
  }

  function onQuiet(): void {
    if (live.listening('inputs') || live.listening('methods')) return;
    const answer = answerEnd;
    answerEnd = undefined;
    if (answer !== undefined) return answer();
    if (loaded) return;
    over.resolve({
      cause: 'error',
      exitCode: UNSETTLED,
      reason: `The top level of ${name} awaits something that will never come: nothing is left that could wake it.`,
    });
  }

  let limit: NodeJS.Timeout | undefined;
  /** Code that runs on and on is cut short by its host, which knows where: so this comes a little later. */
  function allow(moreMs: number): void {
    clearTimeout(limit);
    if (timeS === 0) return;
    const reason = `${name} was still running after ${timeS} s (--time).`;
    const end = (): void => over.resolve({ cause: 'out of time', exitCode: 137, reason });
    limit = setTimeout(end, Math.min(timeS * 1000 + moreMs, 2 ** 31 - 1));
  }
  allow(START_MS + CUT_MS);
  const { cause, exitCode, reason } = await over.promise;
  clearTimeout(limit);
  if (cause !== 'exited') terminal.problem(reason);
  if (cause === 'out of time' && !reason.includes('\n')) {
    terminal.problem('To see where: run it with --inspect-brk, and pause.');
  }
  if (cause === 'error' && exitCode === UNSETTLED) {
    const { topLevelAwaits } = await import('./top-level-awaits.ts');
    const place = relative(seenFrom, file);
    for (const at of await topLevelAwaits(file)) terminal.problem(`    at ${place}:${at}`);
  }
  if (cause === 'host lost' || cause === 'crashed') terminal.problem(desk.words().trimEnd());
  await terminal.flushed();
  await desk.host.stop();
  return exitCode & 0xff;
}
