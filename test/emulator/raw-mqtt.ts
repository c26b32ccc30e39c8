/** MQTT clients without any SDK: mqtt.js for what is legal, a bare TLS socket for what is not. */
import { readFileSync } from 'node:fs';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import mqtt, { type MqttClient } from 'mqtt';
import { parser as createParser, generate, type Packet } from 'mqtt-packet';
import type { Emulator } from '../../src/emulator/emulator.ts';
import { within } from '../fakes/within.ts';
import { deviceToken, fieldsOf } from './hub-kit.ts';

export type RawClient = {
  readonly client: MqttClient;
  readonly sessionPresent: boolean;
  /** Everything received, in order. */
  readonly received: { readonly topic: string; readonly text: string }[];
  /** Resolves when the connection is gone. */
  readonly closed: Promise<void>;
};

const open = new Set<MqttClient>();

export function endRawClients(): void {
  for (const client of open) client.end(true);
  open.clear();
}

export type ConnectWish = {
  readonly clean?: boolean;
  readonly clientId?: string;
  readonly username?: string;
  readonly password?: string;
  readonly keepalive?: number;
  readonly protocolVersion?: 3 | 4 | 5;
  /** Over WebSockets. */
  readonly path?: string;
  readonly will?: { readonly topic: string; readonly payload: Buffer; readonly qos?: 0 | 1 };
};

/** Connects as a device or module; rejects with the return code's error. */
export function connectRaw(
  hub: Emulator,
  connectionString: string,
  wish: ConnectWish = {},
): Promise<RawClient> {
  const fields = fieldsOf(connectionString);
  const module = fields['ModuleId'] === undefined ? '' : `/${fields['ModuleId']}`;
  const id = `${fields['DeviceId']}${module}`;
  const { will, ...rest } = wish;
  const client = mqtt.connect({
    protocol: wish.path === undefined ? 'mqtts' : 'wss',
    host: 'localhost',
    port: hub.port,
    ca: readFileSync(hub.caFile),
    clientId: id,
    username: `${fields['HostName']}/${id}/?api-version=2021-04-12`,
    password: deviceToken(connectionString),
    clean: true,
    reconnectPeriod: 0,
    resubscribe: false,
    ...rest,
    ...(wish.protocolVersion === 3 ? { protocolId: 'MQIsdp' as const } : {}),
    ...(will === undefined ? {} : { will: { qos: 0 as const, retain: false, ...will } }),
  });
  open.add(client);
  const received: RawClient['received'] = [];
  client.on('message', (topic, payload) => received.push({ topic, text: payload.toString() }));
  const closed = new Promise<void>((resolve) => client.once('close', () => resolve()));
  return within(
    10_000,
    'a CONNACK',
    new Promise((resolve, reject) => {
      client.once('connect', ({ sessionPresent }) =>
        resolve({ client, sessionPresent, received, closed }),
      );
      client.on('error', reject);
      client.once('close', () => reject(new Error('closed without a word')));
    }),
  );
}

/** A TLS socket that sends bytes of our choosing. */
export function bareSocket(
  hub: Emulator,
): Promise<{ readonly socket: TLSSocket; readonly closed: Promise<Buffer> }> {
  return new Promise((resolve, reject) => {
    const socket = connectTls({
      host: 'localhost',
      port: hub.port,
      ca: readFileSync(hub.caFile),
    });
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    const closed = new Promise<Buffer>((done) =>
      socket.on('close', () => done(Buffer.concat(chunks))),
    );
    socket.on('error', reject);
    socket.on('secureConnect', () => resolve({ socket, closed }));
  });
}

/** A client that sends and sees packets, and acknowledges nothing by itself. */
export async function packetClient(
  hub: Emulator,
  connectionString: string,
  clean = false,
): Promise<{
  readonly packets: Packet[];
  readonly closed: Promise<Buffer>;
  send(packet: Packet): void;
  end(): void;
}> {
  const { socket, closed } = await bareSocket(hub);
  const fields = fieldsOf(connectionString);
  const packets: Packet[] = [];
  const read = createParser({ protocolVersion: 4 });
  read.on('packet', (packet) => packets.push(packet));
  socket.on('data', (chunk: Buffer) => read.parse(chunk));
  socket.on('error', () => {});
  const send = (packet: Packet): void => void socket.write(generate(packet));
  send({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clean,
    keepalive: 0,
    clientId: fields['DeviceId'] as string,
    username: `${fields['HostName']}/${fields['DeviceId']}/?api-version=2021-04-12`,
    password: Buffer.from(deviceToken(connectionString, 86_400_000)),
  });
  return { packets, closed, send, end: () => socket.destroy() };
}
