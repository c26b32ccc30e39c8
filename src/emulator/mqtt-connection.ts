/**
 * One MQTT client, from its first byte to the end of its socket. The packets are mqtt-packet's; what
 * they mean is decided elsewhere (mqtt-connect.ts, mqtt-requests.ts).
 *
 *   socket ─▶ parser ─▶ CONNECT? admit ─▶ PUBLISH / SUBSCRIBE / PING … ─▶ replies, corked per turn
 */
import type { Duplex } from 'node:stream';
import {
  parser as createParser,
  type IConnectPacket,
  type IPublishPacket,
  type ISubscribePacket,
  type IUnsubscribePacket,
  type Packet,
} from 'mqtt-packet';
import type { Cancel } from '../core/ports.ts';
import type { Authorization } from './authorization.ts';
import type { ClientCertificate } from './client-certificate.ts';
import type { Connections, LiveConnection } from './connections.ts';
import type { DeviceMessages } from './device-messages.ts';
import type { Faults } from './faults.ts';
import type { IdentityRegistry } from './identity-registry.ts';
import { type Admission, admit, returnCodes } from './mqtt-connect.ts';
import { createMqttDeliveries, type MqttDeliveries } from './mqtt-deliveries.ts';
import { createMqttOutbox } from './mqtt-outbox.ts';
import {
  isForRegistration,
  openRegistration,
  type RegistrationClient,
} from './mqtt-registration.ts';
import type { MqttRequests, Publisher } from './mqtt-requests.ts';
import { grantedQos, parseFilter } from './mqtt-topics.ts';
import type { Registrations } from './registrations.ts';
import type { Sessions, Subscriptions } from './sessions.ts';
import type { Surroundings } from './settings.ts';

export type MqttParts = {
  readonly authorization: Authorization;
  readonly connections: Connections;
  readonly registry: IdentityRegistry;
  readonly requests: MqttRequests;
  readonly sessions: Sessions;
  readonly messages: DeviceMessages;
  readonly faults: Faults;
  readonly registrations: Registrations;
};

/** SUBACK's word for a filter that is not granted. */
const NOT_GRANTED = 0x80;
/** Timers hold no more than 2^31 - 1 ms; a token may be good for longer. */
const TIMER_MS_MAX = 2_147_483_647;

type Admitted = Extract<Admission, { ok: true }>;

/** Takes over a socket whose first bytes are a CONNECT packet. `certificate`: what it showed TLS. */
export function serveMqtt(
  socket: Duplex,
  certificate: ClientCertificate | undefined,
  parts: MqttParts,
  surroundings: Surroundings,
): void {
  const { clock, log, settings, counters } = surroundings;
  const parser = createParser({ protocolVersion: 4 });
  let client: Client | undefined;
  /** It speaks to the provisioning service instead. */
  let registration: RegistrationClient | undefined;
  let ended = false;
  let lastPacketAt = clock.elapsed();
  let keepaliveMs = settings.connectTimeoutMs;
  let stopKeepalive: Cancel = () => {};
  let stopExpiry: Cancel = () => {};

  type Client = LiveConnection & {
    readonly admitted: Admitted;
    readonly publisher: Publisher;
    readonly subscriptions: Subscriptions;
    /** Devices only. */
    readonly deliveries: MqttDeliveries | undefined;
    readonly clean: boolean;
    will: IConnectPacket['will'] | undefined;
  };

  const outbox = createMqttOutbox(socket, clock, {
    bytesMax: settings.outboundBytesMax,
    delayMs: () => parts.faults.state().delayMs,
    tooSlow(bytes) {
      if (!ended) counters.tooSlow += 1;
      end(`it left ${bytes} bytes unread`);
    },
  });

  function send(packet: Packet): void {
    if (!ended) outbox.send(packet);
  }

  /** The one way out. 3.1.1 has no DISCONNECT from server to client: the socket just closes. */
  function end(reason: string, how: 'now' | 'after writing' = 'now'): void {
    if (ended) return;
    ended = true;
    stopKeepalive();
    stopExpiry();
    log.debug('client gone', { ...client?.name, reason });
    const gone = client;
    client = undefined;
    if (gone !== undefined) {
      parts.connections.remove(gone);
      gone.deliveries?.stop();
      leaveWill(gone);
      parts.registry.touch(gone.name);
    }
    if (how === 'now') outbox.destroy();
    else outbox.finish();
  }

  /** The client broke the protocol or a limit. */
  function violation(reason: string): void {
    if (ended) return;
    counters.violations += 1;
    log.warn('client cut off', { ...client?.name, reason });
    end(reason);
  }

  function leaveWill(gone: Client): void {
    if (gone.will === undefined) return;
    const { topic, payload, retain } = gone.will;
    const publish = { topic, payload: Buffer.from(payload), retain: retain === true, will: true };
    parts.requests.serve(gone.publisher, publish, () => {});
  }

  // ---- CONNECT

  function connect(packet: IConnectPacket): void {
    if (client !== undefined || registration !== undefined) {
      return violation('it sent a second CONNECT');
    }
    const { throttle, quota, forgetSessions } = parts.faults.state();
    if (throttle || quota || parts.connections.count() >= settings.connectionsMax) {
      return refuse(returnCodes.unavailable, 'the hub takes no more connections just now', packet);
    }
    if (isForRegistration(packet)) return register(packet);
    const admission = admit(packet, parts.authorization, certificate);
    if (!admission.ok) return refuse(admission.code, admission.reason, packet);
    const accepted = accept(packet, admission);
    client = accepted;
    const keeps = packet.clean !== true && !forgetSessions;
    const stored = keeps ? parts.sessions.resume(admission.name) : undefined;
    for (const [subscription, qos] of stored ?? []) accepted.subscriptions.set(subscription, qos);
    if (!keeps) parts.sessions.forget(admission.name);
    else if (stored === undefined) parts.sessions.save(admission.name, accepted.subscriptions);
    counters.connected += 1;
    // Before anything is published to it: the client must see CONNACK first.
    send({ cmd: 'connack', returnCode: 0, sessionPresent: stored !== undefined });
    parts.connections.add(accepted);
    parts.registry.touch(admission.name);
    keepaliveMs = keepaliveOf(packet.keepalive ?? 0);
    watchKeepalive();
    watchExpiry(admission.access.endsAtMs);
    startDeliveries(accepted);
    log.debug('client connected', { ...admission.name, sessionPresent: stored !== undefined });
  }

  function register(packet: IConnectPacket): void {
    const { registrations } = parts;
    const opened = openRegistration(packet, certificate, registrations, surroundings, send);
    if ('refused' in opened) {
      return refuse(opened.refused, 'it may not register', packet);
    }
    registration = opened;
    keepaliveMs = keepaliveOf(packet.keepalive ?? 0);
    watchKeepalive();
  }

  function refuse(code: number, reason: string, packet: IConnectPacket): void {
    counters.refused += 1;
    log.warn('client refused', { clientId: packet.clientId, code, reason });
    if (packet.protocolVersion === 5) {
      outbox.send({ cmd: 'connack', reasonCode: code, sessionPresent: false }, 5);
    } else {
      send({ cmd: 'connack', returnCode: code, sessionPresent: false });
    }
    end(reason, 'after writing');
  }

  function accept(packet: IConnectPacket, admitted: Admitted): Client {
    const { name, access } = admitted;
    const subscriptions: Subscriptions = new Map();
    const publish = (topic: string, payload: string): void =>
      send({ cmd: 'publish', qos: 0, dup: false, retain: false, topic, payload });
    return {
      name,
      admitted,
      subscriptions,
      deliveries:
        name.module === ''
          ? createMqttDeliveries(name.device, parts.messages, (packet) =>
              send({ cmd: 'publish', retain: false, ...packet, payload: packet.payload as Buffer }),
            )
          : undefined,
      clean: packet.clean === true,
      will: packet.will,
      subscribed: (subscription) => subscriptions.has(subscription),
      publish,
      end: (reason) => end(reason),
      publisher: {
        name,
        access,
        reply(topic, payload) {
          if (subscriptions.has('twin responses')) publish(topic, payload);
        },
      },
    };
  }

  // ---- time

  function keepaliveOf(seconds: number): number {
    const wanted = seconds * 1_500;
    return wanted === 0 ? settings.keepaliveMaxMs : Math.min(wanted, settings.keepaliveMaxMs);
  }

  function watchKeepalive(): void {
    stopKeepalive();
    const left = lastPacketAt + keepaliveMs - clock.elapsed();
    stopKeepalive = clock.after(Math.max(1, left), () => {
      if (clock.elapsed() - lastPacketAt < keepaliveMs) watchKeepalive();
      else end('nothing came from it for one and a half keepalive times');
    });
  }

  /** The hub drops a client whose token runs out (spec/iothub.md §1.4). */
  function watchExpiry(endsAtMs: number): void {
    const left = Math.max(0, endsAtMs - clock.now());
    stopExpiry = clock.after(Math.min(left, TIMER_MS_MAX), () => {
      if (clock.now() < endsAtMs) watchExpiry(endsAtMs);
      else end('its token has run out');
    });
  }

  // ---- everything after CONNECT

  function receive(packet: Packet): void {
    if (ended) return;
    lastPacketAt = clock.elapsed();
    if (packet.cmd === 'connect') return connect(packet);
    if (registration !== undefined && packet.cmd !== 'disconnect') {
      const problem = registration(packet);
      return problem === undefined ? undefined : violation(problem);
    }
    if (registration !== undefined) return end('it said goodbye', 'after writing');
    if (client === undefined) return violation('its first packet was no CONNECT');
    switch (packet.cmd) {
      case 'publish':
        return publish(client, packet);
      case 'subscribe':
        return subscribe(client, packet);
      case 'unsubscribe':
        return unsubscribe(client, packet);
      case 'pingreq':
        return send({ cmd: 'pingresp' });
      case 'puback':
        return client.deliveries?.acknowledged(packet.messageId as number);
      case 'disconnect':
        client.will = undefined;
        return end('it said goodbye', 'after writing');
      default:
        return violation(`it sent ${packet.cmd}, which no client sends`);
    }
  }

  function publish(from: Client, packet: IPublishPacket): void {
    if (packet.qos === 2) return violation('it published with QoS 2');
    if (parts.faults.state().quota) return end("the day's messages are used up");
    const problem = parts.requests.serve(
      from.publisher,
      {
        topic: packet.topic,
        payload: packet.payload as Buffer,
        retain: packet.retain,
        will: false,
      },
      (error) => {
        // Without a PUBACK the client sends it again, which is all it can do for us.
        if (error !== undefined) return end('its event could not be stored');
        if (packet.qos === 1) acknowledge(packet.messageId as number);
      },
    );
    if (problem !== undefined) violation(problem);
  }

  function acknowledge(messageId: number): void {
    if (parts.faults.dropsAck()) {
      counters.acksDropped += 1;
    } else if (parts.faults.state().throttle) {
      clock.after(settings.throttledAckMs, () => send({ cmd: 'puback', messageId }));
    } else send({ cmd: 'puback', messageId });
  }

  function subscribe(from: Client, packet: ISubscribePacket): void {
    const granted = packet.subscriptions.map(({ topic, qos }) => {
      const subscription = parseFilter(topic, from.name);
      if (subscription === undefined) {
        log.warn('filter not granted', { ...from.name, filter: topic.slice(0, 200) });
        return NOT_GRANTED;
      }
      const given = grantedQos(subscription, qos);
      from.subscriptions.set(subscription, given);
      return given;
    });
    keepSession(from);
    send({ cmd: 'suback', messageId: packet.messageId as number, granted });
    startDeliveries(from);
    parts.connections.changed(from.name);
  }

  function unsubscribe(from: Client, packet: IUnsubscribePacket): void {
    for (const filter of packet.unsubscriptions) {
      const subscription = parseFilter(filter, from.name);
      if (subscription !== undefined) from.subscriptions.delete(subscription);
    }
    keepSession(from);
    if (!from.subscriptions.has('device messages')) from.deliveries?.pause();
    send({ cmd: 'unsuback', messageId: packet.messageId as number, granted: [] });
  }

  function keepSession(from: Client): void {
    if (from.clean || parts.faults.state().forgetSessions) return;
    parts.sessions.save(from.name, from.subscriptions);
  }

  function startDeliveries(to: Client): void {
    const qos = to.subscriptions.get('device messages');
    if (qos !== undefined) to.deliveries?.start(qos);
  }

  let packets: Packet[] = [];
  parser.on('packet', (packet) => packets.push(packet));
  parser.on('error', (error: Error) => violation(`its bytes are no MQTT: ${error.message}`));

  /** Reads first and acts afterwards: whatever the parser throws at odd bytes is the client's fault. */
  function parse(chunk: Buffer): readonly Packet[] {
    packets = [];
    try {
      // What the parser holds back is one incomplete packet: that, and so memory, is bounded here.
      if (parser.parse(chunk) > settings.packetBytesMax) violation('its packet is too large');
    } catch (cause) {
      violation(`its bytes are no MQTT: ${(cause as Error).message}`);
    }
    return packets;
  }

  socket.on('data', (chunk: Buffer) => {
    if (ended) return;
    try {
      for (const packet of parse(chunk)) receive(packet);
    } catch (cause) {
      // The state could not be written: a full disk, most likely. The client may come back.
      log.error('a client could not be served: look at the disk', {
        ...client?.name,
        error: cause,
      });
      end('it could not be served');
    }
  });
  socket.on('end', () => end('it closed the connection'));
  socket.on('close', () => end('the connection closed'));
  socket.on('error', (error: Error) => end(`the connection broke: ${error.message}`));
  watchKeepalive();
}
