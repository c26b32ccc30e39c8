/** `isolet support-bundle`: all that helps somebody else to see what is wrong here, in one archive, without secrets. */
import { createWriteStream, statSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { defaultConfigFile, readConfig } from './config.ts';
import { parseMomentMs } from './core/duration.ts';
import { Fault } from './core/fault.ts';
import { systemClock } from './lib/system-clock.ts';
import { createLogFolder } from './store/log-folder.ts';
import { supportBundle } from './support-content.ts';

const HELP = `isolet support-bundle [--config FILE] [-o FILE]

Logs, state, settings and check results of this device in a zip archive, without secrets: keys, tokens and
the values of environments are left out. What modules print is theirs: look at it before you pass it on.
With a running Isolet there is more in it than without.

  --config FILE      settings of the device (default /etc/isolet/config.toml)
  -o, --output FILE  where it goes, "-" for standard output (default support_bundle_<time>.zip)
  --since TIME       logs from then on: 2026-01-31T12:00:00Z, Unix seconds, or "2h 30m" ago (default "1 day")
  --until TIME       likewise
  -e, --include-edge-runtime-only  without modules' logs
  -q, --quiet        do not say where it is
  -h, --help         print this
`;

type Values = {
  readonly config: string;
  readonly output?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly 'include-edge-runtime-only': boolean;
  readonly quiet: boolean;
};

try {
  const { values } = parseArgs({
    options: {
      config: { type: 'string', default: defaultConfigFile() },
      output: { type: 'string', short: 'o' },
      since: { type: 'string' },
      until: { type: 'string' },
      'include-edge-runtime-only': { type: 'boolean', short: 'e', default: false },
      quiet: { type: 'boolean', short: 'q', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) process.stdout.write(HELP);
  else await run(values);
} catch (cause) {
  const foreseen =
    cause instanceof Fault || (cause as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  if (!foreseen) throw cause;
  process.stderr.write(`isolet support-bundle: ${(cause as Error).message}\n`);
  process.exitCode = 1;
}

async function run(values: Values): Promise<void> {
  const now = new Date();
  const sinceMs = moment('since', values.since, now);
  const untilMs = moment('until', values.until, now);
  const { file, apiSocket, dataDir, logs } = readConfig(values.config);
  const query = new URLSearchParams({ runtimeOnly: String(values['include-edge-runtime-only']) });
  for (const name of ['since', 'until'] as const) {
    const value = values[name];
    if (value !== undefined) query.set(name, value);
  }
  const running = await fromSupervisor(apiSocket, `/support-bundle?${query.toString()}`);
  const content = running ?? fromDisk();
  const time = now.toISOString().slice(0, 19).replaceAll(':', '_').replace('T', '_');
  const output = values.output ?? `support_bundle_${time}.zip`;
  if (output === '-') return await pipeline(content, process.stdout, { end: false });
  try {
    await pipeline(content, createWriteStream(output, { mode: 0o600 }));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    throw new Fault('CONFIG_INVALID', `${output} cannot be written (${code})`, { cause });
  }
  if (values.quiet) return;
  const size = `${(statSync(output).size / 1_024).toFixed(0)} KB`;
  const how = running === undefined ? ', of an Isolet that does not run' : '';
  process.stdout.write(`${output}: ${size}${how}\n`);

  function fromDisk(): Readable {
    // Only read: nothing is gathered that could be written.
    const folder = createLogFolder(join(dataDir, 'logs'), logs, systemClock);
    folder.open();
    const runtimeOnly = values['include-edge-runtime-only'];
    const parts = { configFile: file, logs: folder, supervisor: undefined };
    return Readable.from(supportBundle(parts, { sinceMs, untilMs, runtimeOnly }, now));
  }
}

function moment(name: string, text: string | undefined, now: Date): number | undefined {
  if (text === undefined) return undefined;
  const ms = parseMomentMs(text, now.getTime());
  if (ms !== undefined) return ms;
  throw new Fault(
    'CONFIG_INVALID',
    `--${name} must be a time (2026-01-31T12:00:00Z), Unix seconds, or how long ago ("2h 30m")`,
  );
}

/** Undefined when it does not run. */
function fromSupervisor(socketPath: string, path: string): Promise<Readable | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path }, (response) => {
      if (response.statusCode === 200) return resolve(response);
      response.resume();
      const text = `the running Isolet refuses (${response.statusCode})`;
      reject(new Fault('REQUEST_INVALID', text));
    });
    asked.on('error', (cause: NodeJS.ErrnoException) => {
      const { code } = cause;
      if (code === 'ENOENT' || code === 'ECONNREFUSED') return resolve(undefined);
      const text = `${socketPath} cannot be asked (${code}): run this as the user isolet runs as (sudo)`;
      reject(new Fault('ENDPOINT_AWAY', text, { cause }));
    });
    asked.end();
  });
}
