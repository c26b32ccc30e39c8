/** The emulator and a supervisor as a person starts them: shipped programs, each in a process of its own. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServiceClient, type ServiceClient } from '../../../src/cli/cloud/service-client.ts';
import type { JsonObject } from '../../../src/core/json.ts';
import { deployment } from '../../e2e/device.ts';
import { type Started, start } from '../../e2e/programs.ts';
import { until } from '../../fakes/within.ts';
import { atExit } from './at-exit.ts';

const LIMIT_MS = 90_000;

export type Hub = {
  readonly pid: number;
  readonly mqttPort: number;
  readonly caFile: string;
  readonly ownerConnectionString: string;
  /** Connection strings by id. */
  readonly devices: Readonly<Record<string, string>>;
  readonly service: ServiceClient;
  stop(): Promise<void>;
};

export type BenchDevice = {
  readonly pid: number;
  readonly dataDir: string;
  /** What the supervisor printed. */
  readonly lines: readonly string[];
  /** A deployment of these modules, as the hub takes it. */
  content(modules: JsonObject): JsonObject;
  stop(): Promise<void>;
};

/** `devices` as the emulator's seed takes them. */
export async function startHub(folder: string, devices: readonly JsonObject[]): Promise<Hub> {
  const seed = join(folder, 'seed.json');
  writeFileSync(seed, JSON.stringify({ devices }));
  const data = join(folder, 'hub');
  const hub = start('emulator', ['--data', data, '--port', '0', '--json', '--seed', seed]);
  atExit(() => hub.child.kill('SIGKILL'));
  const said = JSON.parse(await until(LIMIT_MS, 'the hub', () => hub.lines[0])) as Pick<
    Hub,
    'mqttPort' | 'caFile' | 'ownerConnectionString' | 'devices'
  >;
  const service = createServiceClient({
    connectionString: said.ownerConnectionString,
    caFile: said.caFile,
  });
  return { ...said, pid: hub.child.pid as number, service, stop: () => end(hub) };
}

/** Resolves when its modules are connected to the hub and its routes in force. `login` is a connection string. */
export async function startHubDevice(
  folder: string,
  hub: Hub,
  id: string,
  modules: JsonObject,
  login = hub.devices[id] as string,
): Promise<BenchDevice> {
  const content = (wanted: JsonObject): JsonObject => ({
    modulesContent: {
      $edgeAgent: { 'properties.desired': deployment(wanted) },
      $edgeHub: {
        'properties.desired': {
          schemaVersion: '1.1',
          routes: { up: 'FROM /messages/* INTO $upstream' },
          storeAndForwardConfiguration: { timeToLiveSecs: 7_200 },
        },
      },
    },
  });
  await hub.service.call('POST', `/devices/${id}/applyConfigurationContent`, content(modules));
  const dataDir = join(folder, id);
  const config = join(folder, `${id}.toml`);
  writeFileSync(
    config,
    `trust_bundle_cert = ${JSON.stringify(hub.caFile)}
[provisioning]
source = "manual"
connection_string = ${JSON.stringify(login)}
[isolet]
data_dir = ${JSON.stringify(dataDir)}
[isolet.module]
messages_per_second = 1000000
`,
  );
  const program = start('supervisor', ['--config', config]);
  atExit(() => program.child.kill('SIGKILL'));
  const wanted = Object.keys(modules).length + 2;
  await until(LIMIT_MS, 'all are connected', () => {
    if (program.child.exitCode !== null) throw new Error(program.errors());
    return program.lines.filter((line) => line.includes('connected to the hub')).length >= wanted;
  });
  await until(LIMIT_MS, 'routes', () =>
    program.lines.some((line) => line.includes('routes are in force')),
  );
  return {
    pid: program.child.pid as number,
    dataDir,
    lines: program.lines,
    content,
    stop: () => end(program),
  };
}

async function end(program: Started): Promise<void> {
  program.child.kill('SIGTERM');
  await program.ended;
}
