/** The emulator as a process: `isolet emulator [options]`, and `isolet emulator fault` for one that runs. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Fault } from '../core/fault.ts';
import { createLog } from '../lib/log.ts';
import { systemClock } from '../lib/system-clock.ts';
import { createEmulator, DEFAULT_PORT, type Emulator } from './emulator.ts';
import { runFaultCommand } from './fault-command.ts';
import { readSeed } from './seed.ts';
import { asFolderFault } from './state.ts';

const DEFAULT_DATA = '.isolet/hub';
const DEFAULT_HOST = '127.0.0.1';

const HELP = `Isolet's IoT Hub emulator: a hub on your desk that the Azure SDKs accept.

  --data DIR    where it keeps devices, twins, events and its certificate (${DEFAULT_DATA})
  --port N      one TLS port for MQTT, AMQP and HTTPS alike; 0 = any free one (${DEFAULT_PORT})
  --host NAME   address to listen on (${DEFAULT_HOST})
  --seed FILE   devices, twins, keys … that shall be there (docs/emulator.md)
  --reset       forget devices, twins, events and messages first; the certificate stays
  --until-stdin-ends  stop, too, when whoever started it is gone
  --json        print one line of JSON once it serves, and nothing else
  --help        this text

Stops in order at Ctrl-C. While it runs, \`isolet emulator fault --help\` makes trouble on purpose.
`;

type Wishes = {
  readonly data: string;
  readonly port: number;
  readonly host: string;
  readonly seed: string | undefined;
  readonly reset: boolean;
  readonly json: boolean;
  readonly untilStdinEnds: boolean;
  readonly help: boolean;
};

/** Reads the command line; throws CONFIG_INVALID. */
function readWishes(args: readonly string[]): Wishes {
  let values: Record<string, string | boolean | undefined>;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        data: { type: 'string', default: DEFAULT_DATA },
        port: { type: 'string', default: String(DEFAULT_PORT) },
        host: { type: 'string', default: DEFAULT_HOST },
        seed: { type: 'string' },
        reset: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        'until-stdin-ends': { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }));
  } catch (cause) {
    const problem = (cause as Error).message.split('. ')[0];
    throw new Fault('CONFIG_INVALID', `${problem}: see --help`, { cause });
  }
  const port = /^\d{1,5}$/.test(String(values['port'])) ? Number(values['port']) : -1;
  if (port < 0 || port > 65_535) {
    throw new Fault(
      'CONFIG_INVALID',
      `--port must be a number from 0 to 65535, it is "${String(values['port'])}"`,
    );
  }
  return {
    data: String(values['data']),
    port,
    host: String(values['host']),
    seed: values['seed'] === undefined ? undefined : String(values['seed']),
    reset: values['reset'] === true,
    json: values['json'] === true,
    untilStdinEnds: values['until-stdin-ends'] === true,
    help: values['help'] === true,
  };
}

function announce(emulator: Emulator, wishes: Wishes): string {
  const devices = emulator.devices();
  if (wishes.json) {
    return JSON.stringify({
      host: 'localhost',
      mqttPort: emulator.port,
      httpsPort: emulator.port,
      dpsPort: emulator.port,
      caFile: emulator.caFile,
      ownerConnectionString: emulator.ownerConnectionString,
      devices,
      idScope: emulator.idScope,
    });
  }
  const listed = Object.entries(devices).map(([id, text]) => `  ${id}\n    ${text}`);
  return [
    `The hub serves MQTT, AMQP and HTTPS at ${emulator.hostName}.`,
    `  Clients must trust   ${emulator.caFile}`,
    `                       (NODE_EXTRA_CA_CERTS=${emulator.caFile} for Node)`,
    `  Services connect by  ${emulator.ownerConnectionString}`,
    `  Devices are provisioned at the same address, in the id scope ${emulator.idScope}`,
    listed.length === 0 ? 'There are no devices yet.' : `Devices:\n${listed.join('\n')}`,
  ].join('\n');
}

async function main(): Promise<void> {
  const [word, ...rest] = process.argv.slice(2);
  if (word === 'fault') {
    process.stdout.write(await runFaultCommand(rest, DEFAULT_DATA));
    return;
  }
  const wishes = readWishes(process.argv.slice(2));
  if (wishes.help) {
    process.stdout.write(HELP);
    return;
  }
  // stdout is for the announcement; what goes wrong with clients is told on stderr.
  const log = createLog('warn', systemClock.now, (line) => void process.stderr.write(line));
  const seed = wishes.seed === undefined ? {} : { seed: readSeed(wishes.seed) };
  const emulator = await createEmulator({
    ...seed,
    dataDir: wishes.data,
    reset: wishes.reset,
    host: wishes.host,
    port: wishes.port,
    clock: systemClock,
    log,
  });
  const stop = (): void => {
    emulator.close().then(
      () => process.exit(0),
      (cause: unknown) => fail(cause),
    );
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  if (wishes.untilStdinEnds) process.stdin.once('end', stop).resume();
  keepLogin(emulator, wishes.data);
  process.stdout.write(`${announce(emulator, wishes)}\n`);
}

/** Where `isolet cloud` finds the hub that was started here. What is in it is in the hub's state as well. */
function keepLogin({ ownerConnectionString, caFile }: Emulator, folder: string): void {
  const login = { connectionString: ownerConnectionString, caFile };
  try {
    writeFileSync(join(folder, 'login.json'), `${JSON.stringify(login)}\n`, { mode: 0o600 });
  } catch (cause) {
    throw asFolderFault(cause, folder);
  }
}

/** Faults are told in their one sentence; anything else is a bug of ours and keeps its stack. */
function fail(cause: unknown): never {
  if (!(cause instanceof Fault)) throw cause;
  process.stderr.write(`${cause.message}\n`);
  process.exit(1);
}

await main().catch(fail);
