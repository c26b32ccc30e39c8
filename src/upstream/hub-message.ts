/** Our messages in the form the Azure SDK sends (spec/iotedge.md §7.4). */
import type { Message as SdkMessage } from 'azure-iot-device';
import { Fault } from '../core/fault.ts';
import type { Message } from '../core/message.ts';

type SdkMessageClass = new (body: Buffer) => SdkMessage;

/** Our internal names, edgeHub's, and the SDK's fields they become. The output's name stays on the device. */
const fields = Object.entries({
  messageId: 'messageId',
  cid: 'correlationId',
  userId: 'userId',
  to: 'to',
  contentType: 'contentType',
  contentEncoding: 'contentEncoding',
  'iothub-interface-id': 'interfaceId',
} as const);

/** Those the SDK has no field for: it writes its properties' names as they are, so the wire's own do. */
const wireNames = Object.entries({
  'dt-subject': '$.sub',
  creationTime: '$.ctime',
  messageSchema: '$.schema',
});

/** An MQTT topic carries all properties in 65,535 bytes; some are left for the path and the names of system properties. */
const PROPERTY_BYTES_MAX = 64_000;

const noJson = (): null => null;

/** Throws MESSAGE_TOO_LARGE when the properties do not fit an MQTT topic. */
export function toHubMessage(message: Message, Message: SdkMessageClass): SdkMessage {
  const { body, properties, system } = message;
  const hub = new Message(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  let bytes = 0;
  // Half a surrogate pair cannot be percent-encoded: the SDK would throw on it for ever.
  const sendable = (text: string): string => {
    const whole = text.toWellFormed();
    bytes += encodeURIComponent(whole).length + 1;
    return whole;
  };
  for (const [name, value] of Object.entries(properties)) {
    hub.properties.add(sendable(name), sendable(value));
  }
  for (const [name, wireName] of wireNames) {
    const value = system[name];
    if (value !== undefined) hub.properties.add(wireName, sendable(value));
  }
  for (const [name, field] of fields) {
    const value = system[name];
    // The SDK's types want certain encodings only; others are passed on as they are.
    if (value !== undefined) hub[field] = sendable(value) as never;
  }
  if (bytes > PROPERTY_BYTES_MAX) {
    throw new Fault(
      'MESSAGE_TOO_LARGE',
      `the message's properties take ${bytes} bytes encoded, more than the ${PROPERTY_BYTES_MAX} that MQTT can carry`,
    );
  }
  // The SDK turns each message into JSON for a debug line that nobody sees.
  (hub as { toJSON?: () => null }).toJSON = noJson;
  return hub;
}
