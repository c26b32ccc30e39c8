/** Cloud-to-device messages on their way to one connected device: sent, and remembered until its PUBACK. */
import type { DeviceMessage, DeviceMessages } from './device-messages.ts';
import { deviceMessageTopic } from './mqtt-topics.ts';

export interface MqttDeliveries {
  /** From now on, with this QoS, until `stop`; calling it again changes the QoS. */
  start(qos: 0 | 1): void;
  /** The client does not want any more; what it has it may still acknowledge. */
  pause(): void;
  /** A PUBACK; numbers that were not given are passed over. */
  acknowledged(packetId: number): void;
  /** The connection is over: what was not acknowledged waits again. */
  stop(): void;
}

type Outgoing = {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly messageId: number;
  readonly dup: boolean;
};

const PACKET_ID_MAX = 65_535;

export function createMqttDeliveries(
  device: string,
  messages: DeviceMessages,
  send: (packet: Outgoing) => void,
): MqttDeliveries {
  const seqByPacketId = new Map<number, number>();
  const packetIdBySeq = new Map<number, number>();
  let qos: 0 | 1 | undefined;
  let stopWatch = (): void => {};
  let lastPacketId = 0;
  let pumping = false;

  function packetIdOf(seq: number): number {
    const known = packetIdBySeq.get(seq);
    if (known !== undefined) return known;
    do lastPacketId = (lastPacketId % PACKET_ID_MAX) + 1;
    while (seqByPacketId.has(lastPacketId));
    seqByPacketId.set(lastPacketId, seq);
    packetIdBySeq.set(seq, lastPacketId);
    return lastPacketId;
  }

  function deliver(message: DeviceMessage, how: 0 | 1): void {
    const topic = deviceMessageTopic(device, message);
    const packet = { topic, payload: message.body, qos: how, dup: message.deliveries > 1 };
    if (how === 1) send({ ...packet, messageId: packetIdOf(message.seq) });
    else {
      send({ ...packet, dup: false, messageId: 0 });
      // At most once is what the client asked for: nobody will say that it arrived.
      messages.complete(device, message.seq);
    }
  }

  function pump(): void {
    if (pumping) return;
    pumping = true;
    while (qos !== undefined) {
      const message = messages.take(device);
      if (message === undefined) break;
      deliver(message, qos);
    }
    pumping = false;
  }

  return {
    start(wanted) {
      qos = wanted;
      stopWatch();
      stopWatch = messages.watch(device, pump);
      pump();
    },
    pause() {
      qos = undefined;
      stopWatch();
    },
    acknowledged(packetId) {
      const seq = seqByPacketId.get(packetId);
      if (seq === undefined) return;
      seqByPacketId.delete(packetId);
      packetIdBySeq.delete(seq);
      messages.complete(device, seq);
    },
    stop() {
      qos = undefined;
      stopWatch();
      messages.releaseAll(device);
    },
  };
}
