/**
 * One MQTT client, from its first byte to the end of its socket. The packets are mqtt-packet's; what
 * they mean is decided elsewhere (mqtt-connect.ts, mqtt-requests.ts).
 *
 *   socket ─▶ parser ─▶ CONNECT? admit ─▶ PUBLISH / SUBSCRIBE / PING … ─▶ replies, corked per turn
 */
import type { Duplex } from 'node:stream';
import {
  parser as createParser,
  generate,
  type IConnectPacket,
  type IPublishPacket,
  type ISubscribePacket,
  type IUnsubscribePacket,
  type Packet,
} from 'mqtt-packet';
import type { Cancel } from '../core/ports.ts';
import type { Authorization } from './authorization.ts';
import type { Connections, LiveConnection } from './connections.ts';
import type { IdentityRegistry } from './identity-registry.ts';
import { type Admission, admit, returnCodes } from './mqtt-connect.ts';
import type { MqttRequests, Publisher } from './mqtt-requests.ts';
import { grantedQos, parseFilter, type Subscription } from './mqtt-topics.ts';
import type { Sessions } from './sessions.ts';
import type { Surroundings } from './settings.ts';

export type MqttParts = {
  readonly authorization: Authorization;
  readonly connections: Connections;
  readonly registry: IdentityRegistry;
  readonly requests: MqttRequests;
  readonly sessions: Sessions;
  /** True while the hub plays overloaded: new clients are told 3. */
  throttled(): boolean;
};

/** SUBACK's word for a filter that is not granted. */
const NOT_GRANTED = 0x80;
/** How long a last packet may take to leave. */
const LINGER_MS = 5_000;
/** Timers hold no more than 2^31 - 1 ms; a token may be good for longer. */
const TIMER_MS_MAX = 2_147_483_647;

type Admitted = Extract<Admission, { ok: true }>;

/** Takes over a socket whose first bytes are a CONNECT packet. */
export function serveMqtt(socket: Duplex, parts: MqttParts, surroundings: Surroundings): void {
  const { clock, log, settings, counters } = surroundings;
  const parser = createParser({ protocolVersion: 4 });
  let client: Client | undefined;
  let ended = false;
  let corked = false;
  let lastPacketAt = clock.elapsed();
  let keepaliveMs = settings.connectTimeoutMs;
  let stopKeepalive: Cancel = () => {};
  let stopExpiry: Cancel = () => {};

  type Client = LiveConnection & {
    readonly admitted: Admitted;
    readonly publisher: Publisher;
    readonly subscriptions: Set<Subscription>;
    readonly clean: boolean;
    will: IConnectPacket['will'] | undefined;
  };

  function send(packet: Packet): void {
    if (ended) return;
    if (!corked) {
      corked = true;
      socket.cork();
      process.nextTick(() => {
        corked = false;
        socket.uncork();
      });
    }
    socket.write(generate(packet));
    if (socket.writableLength > settings.outboundBytesMax) {
      counters.tooSlow += 1;
      end(`it left ${socket.writableLength} bytes unread`);
    }
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
      leaveWill(gone);
      parts.registry.touch(gone.name);
    }
    if (how === 'now') {
      socket.destroy();
      return;
    }
    // A last packet is on its way; a client that does not take it is not waited for.
    const stopLinger = clock.after(LINGER_MS, () => socket.destroy());
    socket.once('close', stopLinger);
    socket.end(() => socket.destroy());
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
    if (client !== undefined) return violation('it sent a second CONNECT');
    if (parts.throttled() || parts.connections.count() >= settings.connectionsMax) {
      return refuse(returnCodes.unavailable, 'the hub takes no more connections just now', packet);
    }
    const admission = admit(packet, parts.authorization);
    if (!admission.ok) return refuse(admission.code, admission.reason, packet);
    const accepted = accept(packet, admission);
    client = accepted;
    const stored = packet.clean === true ? undefined : parts.sessions.resume(admission.name);
    for (const subscription of stored ?? []) accepted.subscriptions.add(subscription);
    if (packet.clean === true) parts.sessions.forget(admission.name);
    else if (stored === undefined) parts.sessions.save(admission.name, []);
    counters.connected += 1;
    // Before anything is published to it: the client must see CONNACK first.
    send({ cmd: 'connack', returnCode: 0, sessionPresent: stored !== undefined });
    parts.connections.add(accepted);
    parts.registry.touch(admission.name);
    keepaliveMs = keepaliveOf(packet.keepalive ?? 0);
    watchKeepalive();
    watchExpiry(admission.access.endsAtMs);
    log.debug('client connected', { ...admission.name, sessionPresent: stored !== undefined });
  }

  function refuse(code: number, reason: string, packet: IConnectPacket): void {
    counters.refused += 1;
    log.warn('client refused', { clientId: packet.clientId, code, reason });
    if (packet.protocolVersion === 5) {
      const refusal: Packet = { cmd: 'connack', reasonCode: code, sessionPresent: false };
      socket.write(generate(refusal, { protocolVersion: 5 }));
    } else {
      send({ cmd: 'connack', returnCode: code, sessionPresent: false });
    }
    end(reason, 'after writing');
  }

  function accept(packet: IConnectPacket, admitted: Admitted): Client {
    const { name, access } = admitted;
    const subscriptions = new Set<Subscription>();
    const publish = (topic: string, payload: string): void =>
      send({ cmd: 'publish', qos: 0, dup: false, retain: false, topic, payload });
    return {
      name,
      admitted,
      subscriptions,
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
        return undefined;
      case 'disconnect':
        client.will = undefined;
        return end('it said goodbye', 'after writing');
      default:
        return violation(`it sent ${packet.cmd}, which no client sends`);
    }
  }

  function publish(from: Client, packet: IPublishPacket): void {
    if (packet.qos === 2) return violation('it published with QoS 2');
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
        const { messageId } = packet;
        if (packet.qos === 1 && messageId !== undefined) send({ cmd: 'puback', messageId });
      },
    );
    if (problem !== undefined) violation(problem);
  }

  function subscribe(from: Client, packet: ISubscribePacket): void {
    const granted = packet.subscriptions.map(({ topic, qos }) => {
      const subscription = parseFilter(topic, from.name);
      if (subscription === undefined) {
        log.warn('filter not granted', { ...from.name, filter: topic.slice(0, 200) });
        return NOT_GRANTED;
      }
      from.subscriptions.add(subscription);
      return grantedQos(subscription, qos);
    });
    keepSession(from);
    send({ cmd: 'suback', messageId: packet.messageId as number, granted });
    parts.connections.changed(from.name);
  }

  function unsubscribe(from: Client, packet: IUnsubscribePacket): void {
    for (const filter of packet.unsubscriptions) {
      const subscription = parseFilter(filter, from.name);
      if (subscription !== undefined) from.subscriptions.delete(subscription);
    }
    keepSession(from);
    send({ cmd: 'unsuback', messageId: packet.messageId as number, granted: [] });
  }

  function keepSession(from: Client): void {
    if (!from.clean) parts.sessions.save(from.name, from.subscriptions);
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
