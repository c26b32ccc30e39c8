/**
 * The hub the suite runs against: an emulator of its own, or the one that ISOLET_TEST_HUB names (a
 * policy's connection string, iothubowner's as a rule) with the authority in ISOLET_TEST_HUB_CA (a PEM
 * file; not needed for a real IoT Hub). What the suite makes there it deletes.
 */
import { channel } from 'node:diagnostics_channel';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { Socket } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import azureCommon from 'azure-iot-common';
import azureDevice from 'azure-iot-device';
import azureMqtt from 'azure-iot-device-mqtt';
import azureHub from 'azure-iothub';
import { within } from '../../fakes/within.ts';
import { listEvents, startHub } from '../hub-kit.ts';

export const { Message } = azureCommon;
const { Client, ModuleClient } = azureDevice;
const { Mqtt, MqttWs } = azureMqtt;

export type Transport = 'tcp' | 'websockets';
export type SdkClient = InstanceType<typeof Client>;
export type SdkModuleClient = InstanceType<typeof ModuleClient>;

const given = {
  hub: process.env['ISOLET_TEST_HUB'],
  caFile: process.env['ISOLET_TEST_HUB_CA'],
};
/** Real hubs need their time. */
export const PATIENCE_MS = given.hub === undefined ? 15_000 : 60_000;

export type Target = {
  readonly hostName: string;
  readonly registry: InstanceType<typeof azureHub.Registry>;
  readonly service: InstanceType<typeof azureHub.Client>;
  /** Makes a device; returns its connection string. The id is new at every call. */
  newDevice(
    authentication?: object,
    more?: object,
  ): Promise<{ readonly id: string; readonly login: string }>;
  /** An id of a device nobody has; whatever is made under it is deleted in the end. */
  newId(): string;
  newModule(device: string, id: string): Promise<string>;
  client(login: string, transport: Transport, options?: object): Promise<SdkClient>;
  moduleClient(login: string, transport: Transport, options?: object): Promise<SdkModuleClient>;
  /** The stored events of a device; undefined where only Event Hubs could tell. */
  events(device: string, module?: string): Promise<any[] | undefined>;
  sendToDevice(device: string, message: InstanceType<typeof Message>): Promise<void>;
  /** Registers an authority for client certificates; false where that needs more than a connection string. */
  trust(name: string, pem: string): boolean;
  closeClients(): Promise<void>;
  close(): Promise<void>;
};

export async function openTarget(): Promise<Target> {
  const emulator =
    given.hub === undefined ? await startHub({ settings: { clockSkewMs: 0 } }) : undefined;
  const owner = given.hub ?? (emulator?.ownerConnectionString as string);
  const caFile = given.hub === undefined ? emulator?.caFile : given.caFile;
  const ca = caFile === undefined ? undefined : readFileSync(caFile, 'utf8');
  // The service SDK's AMQP takes no authority of its own.
  if (ca !== undefined) setDefaultCACertificates([...getCACertificates('default'), ca]);
  const hostName = /HostName=([^;]+)/.exec(owner)?.[1] as string;
  const [host, port] = hostName.split(':') as [string, string | undefined];
  const redirect = (): https.Agent | undefined =>
    port === undefined ? undefined : agentTo(host, port);

  const registry = azureHub.Registry.fromConnectionString(owner);
  const service = azureHub.Client.fromConnectionString(owner);
  const agent = redirect();
  if (agent !== undefined) {
    for (const each of [registry, service] as unknown as {
      _restApiClient: { setOptions(options: object): void };
    }[]) {
      each._restApiClient.setOptions({ http: { agent } });
    }
  }

  const made: string[] = [];
  const opened: { close(): Promise<unknown> }[] = [];

  const loginOf = (id: string, identity: any, module = ''): string => {
    const { type, symmetricKey } = identity.authentication;
    const proof = type === 'sas' ? `SharedAccessKey=${symmetricKey.primaryKey}` : 'x509=true';
    return `HostName=${hostName};DeviceId=${id}${module};${proof}`;
  };

  function newId(): string {
    const id = `isolet-test-${Date.now().toString(36)}-${made.length}`;
    made.push(id);
    return id;
  }

  async function prepare<T extends { setOptions(options: object): Promise<unknown> }>(
    client: T & { close(): Promise<unknown> },
    options: object,
  ): Promise<T> {
    opened.push(client);
    const webSocketAgent = redirect();
    const mqtt = webSocketAgent === undefined ? {} : { mqtt: { webSocketAgent } };
    await client.setOptions({ ...(ca === undefined ? {} : { ca }), ...mqtt, ...options });
    return client;
  }
  // Over WebSockets the SDK dials port 443 whatever the name says: an agent takes it to the port.
  const dialled = (login: string, transport: Transport): string =>
    transport === 'websockets' ? login.replace(hostName, host) : login;
  const transportOf = (transport: Transport) => (transport === 'websockets' ? MqttWs : Mqtt);

  async function closeClients(): Promise<void> {
    const closing = opened.splice(0).map((client) => within(10_000, 'close', client.close()));
    await Promise.allSettled(closing);
  }

  return {
    hostName,
    registry,
    service,
    newId,
    async newDevice(authentication, more = {}) {
      const id = newId();
      const proof = authentication === undefined ? {} : { authentication };
      const { responseBody } = await registry.create({ deviceId: id, ...proof, ...more } as never);
      return { id, login: loginOf(id, responseBody) };
    },
    async newModule(device, id) {
      const wish = { deviceId: device, moduleId: id };
      const { responseBody } = await registry.addModule(wish as never);
      return loginOf(device, responseBody, `;ModuleId=${id}`);
    },
    client: (login, transport, options = {}) =>
      prepare(
        Client.fromConnectionString(dialled(login, transport), transportOf(transport)),
        options,
      ),
    moduleClient: (login, transport, options = {}) =>
      prepare(
        ModuleClient.fromConnectionString(dialled(login, transport), transportOf(transport)),
        options,
      ),
    async events(device, module = '') {
      if (emulator === undefined) return undefined;
      return await listEvents(emulator, `device=${device}&module=${module}`);
    },
    async sendToDevice(device, message) {
      // One of its own: tests cut all connections of this process, and it would not come back.
      const sender = azureHub.Client.fromConnectionString(owner);
      try {
        await sender.open();
        await sender.send(device, message as never);
      } finally {
        await sender.close().catch(() => undefined);
      }
    },
    trust(name, pem) {
      emulator?.trust(name, pem);
      return emulator !== undefined;
    },
    closeClients,
    async close() {
      await closeClients();
      // Some a test has deleted itself.
      await Promise.allSettled(made.map((id) => registry.delete(id)));
      await service.close().catch(() => undefined);
      await emulator?.forget();
    },
  };
}

function agentTo(host: string, port: string): https.Agent {
  class ToTheHub extends https.Agent {
    override createConnection(options: object, done: () => void) {
      return super.createConnection({ ...options, host, port, servername: host }, done);
    }
  }
  return new ToTheHub({ keepAlive: false });
}

/** Every socket this process opened and that lives: a drop is one of them destroyed. */
const sockets = new Set<Socket>();
channel('net.client.socket').subscribe((message) => {
  const { socket } = message as { socket: Socket };
  sockets.add(socket);
  socket.once('close', () => sockets.delete(socket));
});

/** Cuts all connections of this process, as a router that restarts would. */
export function dropConnections(): void {
  for (const socket of sockets) socket.destroy();
}

/** Asks again and again until there is an answer that is neither undefined nor false. */
export async function eventually<T>(
  ms: number,
  what: string,
  ask: () => Promise<T | undefined | false>,
): Promise<T> {
  const endsAt = performance.now() + ms;
  for (;;) {
    const answer = await within(PATIENCE_MS, what, ask());
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > endsAt) throw new Error(`${what} did not come within ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS / 500));
  }
}

export async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await within(PATIENCE_MS, 'a refusal', promise);
  } catch (cause) {
    return cause as Error;
  }
  throw new Error('it was not refused');
}

/** `twin.properties.reported.update` as a promise. */
export function report(twin: any, patch: object): Promise<void> {
  return within(
    PATIENCE_MS,
    'a report',
    new Promise<void>((resolve, reject) =>
      twin.properties.reported.update(patch, (error?: Error) =>
        error ? reject(error) : resolve(),
      ),
    ),
  );
}
