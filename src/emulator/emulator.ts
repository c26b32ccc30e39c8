/** Puts the hub together: state, certificate, parts, and the one door they share. */
import { resolve } from 'node:path';
import type { Clock, Log } from '../core/ports.ts';
import { systemClock } from '../lib/system-clock.ts';
import { createAuthorities } from './authorities.ts';
import { createAuthorization } from './authorization.ts';
import { createBulkRegistry } from './bulk-registry.ts';
import { ensureCertificate } from './certificate.ts';
import { createChanges } from './changes.ts';
import { clientCertificate } from './client-certificate.ts';
import { createConfigurationRounds } from './configuration-rounds.ts';
import { createConfigurations } from './configurations.ts';
import { createConnections } from './connections.ts';
import { openControlDoor } from './control-door.ts';
import { createDeviceMessages, type DeviceMessages } from './device-messages.ts';
import { createEnrolments } from './enrolments.ts';
import { createEvents } from './events.ts';
import { createFaults, type Faults } from './faults.ts';
import { createFeedback, type Feedback } from './feedback.ts';
import { type IdentityDocument, type Presence, parseIdentityWish } from './identity-document.ts';
import type { IdentityName } from './identity-name.ts';
import { createIdentityRegistry } from './identity-registry.ts';
import { createMethods } from './methods.ts';
import { serveMqtt } from './mqtt-connection.ts';
import { createMqttRequests } from './mqtt-requests.ts';
import { loadPolicies } from './policies.ts';
import { createRegistrations } from './registrations.ts';
import { bulkRoutes } from './rest-bulk.ts';
import { configurationRoutes } from './rest-configuration.ts';
import { configurationsRoutes } from './rest-configurations.ts';
import { deviceMessageRoutes } from './rest-device-messages.ts';
import { enrolmentRoutes } from './rest-enrolments.ts';
import { eventRoutes } from './rest-events.ts';
import { identityRoutes } from './rest-identities.ts';
import { jobRoutes } from './rest-jobs.ts';
import { methodRoutes } from './rest-methods.ts';
import { createQueryRows, queryRoutes } from './rest-query.ts';
import { registrationRoutes } from './rest-registrations.ts';
import { createRestServer } from './rest-router.ts';
import { twinRoutes } from './rest-twins.ts';
import { type Seed, sow } from './seed.ts';
import { createSessions } from './sessions.ts';
import {
  type Counters,
  defaultSettings,
  type EmulatorSettings,
  newCounters,
  type Surroundings,
} from './settings.ts';
import { asFolderFault, openState, type State } from './state.ts';
import { openTlsDoor, type TlsDoor } from './tls-door.ts';
import { createTwinService } from './twin-service.ts';
import { createTwinView } from './twin-view.ts';
import { openWebSocketDoor } from './websocket-door.ts';

export type EmulatorOptions = {
  /** Where everything lies that must survive; made when it is not there. */
  readonly dataDir: string;
  /** Address to listen on. */
  readonly host?: string;
  /** 0 = any free one. */
  readonly port?: number;
  /** Another name the hub goes by, for connection strings that reach it through a GatewayHostName. */
  readonly hubName?: string;
  readonly clock?: Clock;
  readonly log?: Log;
  readonly settings?: Partial<EmulatorSettings>;
  /** Begins with an empty hub: all but the certificate is forgotten, a damaged state too. */
  readonly reset?: boolean;
  /** What shall be there from the start; what is there already is left as it is. */
  readonly seed?: Seed;
  /** Numbers from 0 to below 1, for faults that happen now and then. */
  readonly chance?: () => number;
};

export type Emulator = {
  readonly port: number;
  /** `localhost:PORT`, for connection strings: device and service SDKs both reach the hub by it. */
  readonly hostName: string;
  /** PEM file of the authority clients must trust. */
  readonly caFile: string;
  /** The policy iothubowner's: it may do everything. */
  readonly ownerConnectionString: string;
  /** DPS, at the same address. */
  readonly idScope: string;
  readonly counters: Readonly<Counters>;
  /** Makes the device if it is not there; returns its connection string. */
  createDevice(deviceId: string, options?: { readonly iotEdge?: boolean }): string;
  /** Undefined when there is no such device or module. */
  connectionString(deviceId: string, moduleId?: string): string | undefined;
  /** Every device's connection string, by its id. */
  devices(): Readonly<Record<string, string>>;
  /** Cuts the live connection of a device or module; false when there is none. */
  drop(deviceId: string, moduleId?: string): boolean;
  /** Trouble on demand. */
  readonly faults: Faults;
  /** Cloud-to-device messages, and what became of them. */
  readonly messages: DeviceMessages;
  readonly feedback: Feedback;
  /** Trusts client certificates of this authority (PEM). */
  trust(name: string, pem: string): void;
  /** Cuts all connections and writes what is left to write. */
  close(): Promise<void>;
};

/** The port of MQTT over TLS. */
export const DEFAULT_PORT = 8883;
const DEFAULT_HUB_NAME = 'isolet-hub.azure-devices.net';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

/**
 * Starts the hub; it serves when this resolves. Rejects with DATA_FOLDER_UNUSABLE, STORE_DAMAGED,
 * PORT_TAKEN, CONFIG_INVALID, DISK_FULL.
 */
export async function createEmulator(options: EmulatorOptions): Promise<Emulator> {
  const state = openState(resolve(options.dataDir), options.reset === true);
  try {
    return await assemble(state, options);
  } catch (cause) {
    state.close();
    throw asFolderFault(cause, resolve(options.dataDir));
  }
}

async function assemble(state: State, options: EmulatorOptions): Promise<Emulator> {
  const { host = '127.0.0.1', hubName = DEFAULT_HUB_NAME } = options;
  const surroundings: Surroundings = {
    clock: options.clock ?? systemClock,
    log: options.log ?? silent,
    settings: { ...defaultSettings, ...options.settings },
    counters: newCounters(),
  };
  const { clock, log, settings, counters } = surroundings;
  const names = [...new Set(['localhost', '127.0.0.1', '::1', hubName, ...concrete(host)])];
  const certificate = await ensureCertificate(resolve(options.dataDir), names, clock, log);
  const policies = loadPolicies(state);
  const connections = createConnections(counters);
  const changes = createChanges();
  const registry = createIdentityRegistry(state, { connections, changes }, surroundings);
  const hostNames = [...names.map((name) => name.toLowerCase()), '[::1]'];
  const authorities = createAuthorities(state);
  const authorization = createAuthorization(
    registry,
    { policies, authorities, hostNames },
    surroundings,
  );
  const twins = createTwinService(state, { connections, changes }, surroundings);
  const methods = createMethods(connections, surroundings);
  const events = createEvents(state, surroundings);
  const sessions = createSessions(state);
  const faults = createFaults({ connections, sessions }, options.chance ?? Math.random);
  const feedback = createFeedback(state, surroundings);
  const messages = createDeviceMessages(state, { registry, feedback }, surroundings);
  const enrolments = createEnrolments(state, surroundings);
  if (options.seed !== undefined) {
    sow(options.seed, { state, policies, authorities, registry, twins, enrolments });
  }
  const registrations = createRegistrations(
    state,
    { enrolments, registry, twins, hostName: () => hostName },
    surroundings,
  );
  const requests = createMqttRequests({ events, twins, methods, faults }, surroundings);
  const mqtt = {
    authorization,
    connections,
    registry,
    requests,
    sessions,
    messages,
    faults,
    registrations,
  };
  const presence = (name: IdentityName): Presence => ({
    connected: connections.find(name) !== undefined,
    messagesWaiting: name.module === '' ? messages.count(name.device) : 0,
  });
  const viewOf = createTwinView({
    registry,
    twins,
    presence,
    configurations: (name) => rounds.statuses(name),
  });
  const rows = createQueryRows(registry, viewOf);
  const configurations = createConfigurations(state, surroundings);
  const rounds = createConfigurationRounds(
    state,
    { configurations, registry, twins, viewOf },
    surroundings,
  );
  changes.watch(rounds.touched);
  const together = (work: () => void): void => state.transaction(work)();
  const connectedDevices = (): number =>
    registry.names('devices').filter((name) => presence(name).connected).length;
  const http = createRestServer(
    [
      ...identityRoutes(registry, presence),
      ...bulkRoutes(createBulkRegistry({ registry, twins, together })),
      ...queryRoutes(registry, rows, connectedDevices),
      ...twinRoutes(registry, twins, viewOf),
      ...methodRoutes(registry, methods, settings.methodPayloadBytesMax),
      ...configurationRoutes(registry, twins, together),
      ...configurationsRoutes(configurations, rows, settings.configurationsMax),
      ...jobRoutes(),
      ...deviceMessageRoutes(messages),
      ...eventRoutes(events, surroundings),
      ...enrolmentRoutes(enrolments, registrations),
      ...registrationRoutes(registrations, surroundings),
    ],
    { authorization, faults },
    surroundings,
  );
  openWebSocketDoor(
    http,
    { mqtt: (stream, shown) => serveMqtt(stream, shown, mqtt, surroundings) },
    { messageBytesMax: settings.packetBytesMax },
  );
  const door: TlsDoor = await openTlsDoor(
    {
      host,
      port: options.port ?? DEFAULT_PORT,
      certificate,
      serveMqtt: (socket) => serveMqtt(socket, clientCertificate(socket), mqtt, surroundings),
      async serveAmqp(socket) {
        // Loaded with the first who speaks it: most hubs on desks never need it.
        const { serveAmqp } = await import('./amqp-connection.ts');
        serveAmqp(socket, { authorization, messages, feedback, faults }, surroundings);
      },
      serveHttp: (socket) => void http.emit('connection', socket),
    },
    surroundings,
  );

  const control = await openControlDoor(resolve(options.dataDir), faults, log).catch(
    async (cause: unknown) => {
      await door.close();
      throw cause;
    },
  );

  const hostName = `localhost:${door.port}`;
  const nameOf = (device: string, module = ''): IdentityName => ({ device, module });
  const describe = (name: IdentityName, identity: IdentityDocument): string => {
    const module = name.module === '' ? '' : `;ModuleId=${name.module}`;
    const { type, primaryKey } = identity.authentication;
    const proof = type === 'sas' ? `SharedAccessKey=${primaryKey}` : 'x509=true';
    return `HostName=${hostName};DeviceId=${name.device}${module};${proof}`;
  };
  let closing: Promise<void> | undefined;

  async function close(): Promise<void> {
    await control.close();
    connections.endAll('the hub is closing');
    methods.stop();
    rounds.stop();
    messages.stop();
    await door.close();
    events.flush();
    state.close();
  }

  return {
    port: door.port,
    hostName,
    caFile: certificate.caFile,
    ownerConnectionString: `HostName=${hostName};SharedAccessKeyName=iothubowner;SharedAccessKey=${policies.get('iothubowner')?.keys[0] ?? ''}`,
    idScope: registrations.idScope,
    counters,
    createDevice(deviceId, { iotEdge = false } = {}) {
      const name = nameOf(deviceId);
      const wish = parseIdentityWish({ capabilities: { iotEdge } }, name);
      return describe(name, registry.find(name) ?? registry.create(name, wish));
    },
    connectionString(deviceId, moduleId) {
      const name = nameOf(deviceId, moduleId);
      const identity = registry.find(name);
      return identity === undefined ? undefined : describe(name, identity);
    },
    devices: () =>
      Object.fromEntries(
        registry
          .devices(settings.devicesMax)
          .map(({ name, identity }) => [name.device, describe(name, identity)]),
      ),
    drop: (deviceId, moduleId) =>
      connections.end(nameOf(deviceId, moduleId), 'it was dropped on purpose'),
    faults,
    messages,
    feedback,
    trust: authorities.put,
    close: () => (closing ??= close()),
  };
}

/** The address as a name clients may dial; not those that mean "every address". */
function concrete(host: string): readonly string[] {
  return host === '0.0.0.0' || host === '::' ? [] : [host];
}
