/** `isolet check`: is this installation sound, and what would become of a deployment on it? Changes nothing. */
import { existsSync, readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { checkDeployment } from './check-deployment.ts';
import { checkInstallation } from './check-installation.ts';
import { defaultConfigFile } from './config.ts';
import { Fault } from './core/fault.ts';
import { printable } from './lib/printable.ts';

const HELP = `isolet check [DEPLOYMENT.json] [--config FILE] [--json]

Without a deployment: is this installation sound? With one: all that is wrong with it, and for each module
what its bundle asks for, what createOptions grant, what the policy of the device allows, and what it gets.
Exit code 1 if something is wrong.

  --config FILE  settings of the device (default /etc/isolet/config.toml,
                 or else /etc/aziot/config.toml)
  --json         print JSON
  -h, --help     print this
`;

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      config: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) process.stdout.write(HELP);
  // At once: a name server that is still being asked would hold us.
  else process.exit((await check(positionals, values.config, values.json)) ? 0 : 1);
} catch (cause) {
  const foreseen =
    cause instanceof Fault || (cause as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  if (!foreseen) throw cause;
  process.stderr.write(`isolet check: ${(cause as Error).message}\n`);
  process.exit(1);
}

/** Whether nothing is wrong. */
async function check(
  files: readonly string[],
  config: string | undefined,
  asJson: boolean,
): Promise<boolean> {
  const [deployment, ...more] = files;
  if (more.length > 0) {
    throw new Fault('CONFIG_INVALID', 'usage: isolet check [DEPLOYMENT.json]. See --help.');
  }
  const result =
    deployment === undefined
      ? await checkInstallation(config ?? defaultConfigFile())
      : await checkDeployment(
          readFile(deployment),
          // A deployment may be checked where it is written, too.
          config ?? (existsSync(defaultConfigFile()) ? defaultConfigFile() : undefined),
        );
  // The deployment and its bundles may be anybody's.
  process.stdout.write(asJson ? `${JSON.stringify(result.json)}\n` : printable(result.text));
  return result.ok;
}

function readFile(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new Fault(
      'MANIFEST_INVALID',
      code === undefined ? `${file} is not JSON: ${message}` : `${file} cannot be read (${code})`,
      { cause },
    );
  }
}
