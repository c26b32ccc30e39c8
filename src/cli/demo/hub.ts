/** The demo's hub: the emulator as a child, and the device in it. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../core/fault.ts';
import { isJsonObject, type Json } from '../../core/json.ts';
import { DEMO_DEVICE } from '../cloud/login.ts';
import { devicePath } from '../cloud/paths.ts';
import { createServiceClient, type Login, type ServiceClient } from '../cloud/service-client.ts';
import { type Child, startChild } from './child.ts';

export type DemoHub = {
  readonly child: Child;
  readonly client: ServiceClient;
  readonly login: Login;
};

const START_MS = 20_000;

/** Starts the emulator and waits until it serves. Its own sentence is ours when it cannot. */
export async function startHub(folder: string, port: number): Promise<DemoHub> {
  const argv = ['--data', join(folder, 'hub'), '--port', String(port), '--json'];
  let limit: NodeJS.Timeout | undefined;
  const child: { current?: Child } = {};
  const login = await new Promise<Login>((resolve, reject) => {
    limit = setTimeout(
      () => reject(new Fault('TIMED_OUT', `the hub did not start within ${START_MS / 1000} s`)),
      START_MS,
    );
    child.current = startChild('emulator', argv, (line) => {
      const ready: unknown = JSON.parse(line);
      if (
        !isJsonObject(ready as Json) ||
        (ready as Record<string, unknown>)['ownerConnectionString'] === undefined
      )
        return;
      const { ownerConnectionString, caFile } = ready as Record<string, string>;
      resolve({ connectionString: ownerConnectionString as string, caFile: caFile as string });
    });
    void child.current.ended.then(({ errors }) =>
      reject(new Fault('PORT_TAKEN', errors === '' ? 'the hub ended at its start' : errors)),
    );
  }).finally(() => clearTimeout(limit));
  return { child: child.current as Child, client: createServiceClient(login), login };
}

/** Makes the device unless it is there, and its config.toml. */
export async function provisionDevice(hub: DemoHub, folder: string): Promise<void> {
  const { client, login } = hub;
  const path = devicePath(DEMO_DEVICE);
  const identity =
    (await client.call('GET', path, undefined, { absentIsFine: true })) ??
    (await client.call('PUT', path, {
      deviceId: DEMO_DEVICE,
      status: 'enabled',
      capabilities: { iotEdge: true },
    }));
  const key = at(identity as Json, 'authentication', 'symmetricKey', 'primaryKey');
  const device = join(folder, 'device');
  mkdirSync(device, { recursive: true, mode: 0o700 });
  const connectionString = `HostName=${client.hostName};DeviceId=${DEMO_DEVICE};SharedAccessKey=${String(key)}`;
  writeFileSync(
    join(device, 'config.toml'),
    [
      `trust_bundle_cert = ${JSON.stringify(login.caFile)}`,
      '',
      '[provisioning]',
      'source = "manual"',
      `connection_string = ${JSON.stringify(connectionString)}`,
      '',
      '[isolet]',
      'data_dir = "."',
      '',
    ].join('\n'),
    { mode: 0o600 },
  );
}

function at(value: Json, ...path: readonly string[]): Json | undefined {
  let found: Json | undefined = value;
  for (const key of path) found = isJsonObject(found) ? found[key] : undefined;
  return found;
}
