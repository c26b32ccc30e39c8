/** What the emulator's tests share: a hub in a folder of its own, and the official SDKs pointed at it. */
import { createHmac } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import azureDevice from 'azure-iot-device';
import azureMqtt from 'azure-iot-device-mqtt';
import azureHub from 'azure-iothub';
import type { Json } from '../../src/core/json.ts';
import { formatSas, sasTextToSign } from '../../src/core/shared-access-signature.ts';
import {
  createEmulator,
  type Emulator,
  type EmulatorOptions,
} from '../../src/emulator/emulator.ts';
import { createLog } from '../../src/lib/log.ts';
import { within } from '../fakes/within.ts';

export const { Message } = azureDevice;
const { Client, ModuleClient } = azureDevice;
const { Mqtt } = azureMqtt;

export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'isolet-hub-'));
}

/** Errors in the hub's log are bugs, or what the test is about. */
const errorsOnly = createLog('error', Date.now);

/** A hub on a free port in a new folder; `forget` closes it and removes the folder. */
export async function startHub(
  options: Partial<EmulatorOptions> = {},
): Promise<Emulator & { readonly dataDir: string; forget(): Promise<void> }> {
  const dataDir = options.dataDir ?? newFolder();
  const hub = await createEmulator({ port: 0, log: errorsOnly, ...options, dataDir });
  return {
    ...hub,
    dataDir,
    async forget() {
      await hub.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/** Every SDK client made, so that a failed test leaves none behind to keep the process alive. */
const opened: { close(): Promise<unknown> }[] = [];

export async function closeClients(): Promise<void> {
  await Promise.allSettled(
    opened.splice(0).map((client) => within(5_000, 'close', client.close())),
  );
}

/** A device's or module's client of the official SDK, not opened yet. */
export async function sdkClient(hub: Emulator, connectionString: string, options = {}) {
  const client = Client.fromConnectionString(connectionString, Mqtt);
  opened.push(client);
  await client.setOptions({ ca: readFileSync(hub.caFile, 'utf8'), ...options });
  return client;
}

export async function sdkModuleClient(hub: Emulator, connectionString: string, options = {}) {
  const client = ModuleClient.fromConnectionString(connectionString, Mqtt);
  opened.push(client);
  await client.setOptions({ ca: readFileSync(hub.caFile, 'utf8'), ...options });
  return client;
}

/**
 * The service SDK dials port 443 of its host name, whatever that is; an agent takes it to the hub
 * (spec/iothub.md §5.8, recipe 3).
 */
function connectOfficialServiceSdk<T>(sdkObject: T, hub: Emulator): T {
  class ToTheHub extends https.Agent {
    override createConnection(options: object, done: () => void) {
      const there = { host: '127.0.0.1', port: hub.port, servername: 'localhost' };
      return super.createConnection({ ...options, ...there }, done);
    }
  }
  const agent = new ToTheHub({ ca: readFileSync(hub.caFile), keepAlive: false });
  const inner = sdkObject as { _restApiClient: { setOptions(options: object): void } };
  inner._restApiClient.setOptions({ http: { agent } });
  return sdkObject;
}

export function sdkRegistry(hub: Emulator) {
  return connectOfficialServiceSdk(
    azureHub.Registry.fromConnectionString(hub.ownerConnectionString),
    hub,
  );
}

export function sdkService(hub: Emulator) {
  return connectOfficialServiceSdk(
    azureHub.Client.fromConnectionString(hub.ownerConnectionString),
    hub,
  );
}

export function fieldsOf(connectionString: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    connectionString.split(';').map((part) => {
      const at = part.indexOf('=');
      return [part.slice(0, at), part.slice(at + 1)];
    }),
  );
}

/** A token for `resource`, good until `expiresAtMs`. */
export function createSas(
  resource: string,
  key: string,
  expiresAtMs: number,
  policy?: string,
): string {
  const fields = {
    resource: encodeURIComponent(resource),
    expiryS: Math.ceil(expiresAtMs / 1000),
    policy,
  };
  const hash = createHmac('sha256', Buffer.from(key, 'base64')).update(sasTextToSign(fields));
  return formatSas(fields, hash.digest('base64'));
}

/** A token of the policy the owner's connection string names. */
function ownerToken(hub: Emulator): string {
  const fields = fieldsOf(hub.ownerConnectionString);
  return createSas(
    fields['HostName'] as string,
    fields['SharedAccessKey'] as string,
    Date.now() + 60_000,
    fields['SharedAccessKeyName'],
  );
}

/** A token of a device or module for itself. */
export function deviceToken(connectionString: string, lifeMs = 60_000): string {
  const fields = fieldsOf(connectionString);
  const module = fields['ModuleId'] === undefined ? '' : `/modules/${fields['ModuleId']}`;
  return createSas(
    `${fields['HostName']}/devices/${fields['DeviceId']}${module}`,
    fields['SharedAccessKey'] as string,
    Date.now() + lifeMs,
  );
}

export type RawReply = {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into it
  readonly json: any;
};

/** One REST call without any SDK. */
export function rest(
  hub: Emulator,
  method: string,
  path: string,
  options: {
    readonly body?: Json;
    readonly text?: string;
    readonly headers?: Readonly<Record<string, string>>;
    /** '' = none. */
    readonly token?: string;
  } = {},
): Promise<RawReply> {
  const token = options.token ?? ownerToken(hub);
  return new Promise((resolve, reject) => {
    const request = https.request(
      {
        host: 'localhost',
        port: hub.port,
        path,
        method,
        ca: readFileSync(hub.caFile),
        agent: false,
        headers: { ...(token === '' ? {} : { authorization: token }), ...options.headers },
      },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString();
          resolve({
            status: response.statusCode as number,
            headers: response.headers,
            text,
            json: text === '' ? undefined : JSON.parse(text),
          });
        });
      },
    );
    request.on('error', reject);
    request.end(options.text ?? (options.body === undefined ? '' : JSON.stringify(options.body)));
  });
}

/** The stored events, as the list shows them. */
export async function listEvents(hub: Emulator, query = ''): Promise<any[]> {
  const headers = { accept: 'application/json' };
  const reply = await rest(hub, 'GET', `/emulator/events?${query}`, { headers });
  if (reply.status !== 200) throw new Error(reply.text);
  return reply.json;
}
