/** The supervisor's process: read the config, start, run until told to stop, stop in order. */
import { parseArgs } from 'node:util';
import { startRuntime } from './compose.ts';
import { defaultConfigFile, readConfig } from './config.ts';
import { Fault } from './core/fault.ts';
import { collectWhenSettled } from './lib/collect-garbage.ts';
import { takeTrim } from './lib/trim-malloc.ts';
import { VERSION } from './version.ts';

const HELP = `isolet run [--config FILE]

Runs the modules of this device until SIGTERM or Ctrl-C.

  --config FILE       settings, IoT Edge's config.toml (default /etc/isolet/config.toml,
                      or else /etc/aziot/config.toml)
  --until-stdin-ends  stop, too, when whoever started it is gone
  -h, --help          print this
`;

/** Longer than any part may take to stop; systemd would insist then. */
const STOP_MS = 12_000;

const RESTART_AFTER_MS = 1_000;

async function main(): Promise<void> {
  try {
    const { values } = parseArgs({
      options: {
        config: { type: 'string' },
        'until-stdin-ends': { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) process.stdout.write(HELP);
    else await run(values.config ?? defaultConfigFile(), values['until-stdin-ends']);
  } catch (cause) {
    const foreseen =
      cause instanceof Fault || (cause as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
    if (!foreseen) throw cause;
    process.stderr.write(`isolet run: ${(cause as Error).message}\n`);
    process.exit(1);
  }
}

async function run(configFile: string, untilStdinEnds: boolean): Promise<void> {
  const stopping = new Promise<void>((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
    if (untilStdinEnds) process.stdin.on('end', () => resolve()).resume();
  });
  let again = false;
  const starting = startRuntime(readConfig(configFile), VERSION, () => {
    again = true;
    // Whoever asked gets an answer first.
    setTimeout(() => process.kill(process.pid, 'SIGTERM'), RESTART_AFTER_MS);
  });
  // A device that has never been provisioned waits for that, however long; nothing is open by then.
  const runtime = await Promise.race([starting, stopping]);
  if (runtime === undefined) process.exit(0);
  collectWhenSettled(() => takeTrim()?.());
  await stopping;
  setTimeout(() => {
    runtime.log.error('stopping took too long; what is stored is safe', { limitMs: STOP_MS });
    process.exit(1);
  }, STOP_MS).unref();
  await runtime.stop();
  if (again) becomeAnew();
  process.exit(0);
}

/** The same program with the same arguments, in this process's place. */
function becomeAnew(): void {
  const { execPath, execArgv, argv } = process;
  process.execve?.(execPath, [execPath, ...execArgv, ...argv.slice(1)]);
}

// Shipped as CommonJS, which has no await here (build/dist.ts).
void main();
