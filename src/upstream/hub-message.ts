/** Our messages in the form the Azure SDK sends (spec/iotedge.md §7.4). */
import type { Message as SdkMessage } from 'azure-iot-device';
import type { Message } from '../core/message.ts';

type SdkMessageClass = new (body: Buffer) => SdkMessage;

/** What edgeHub copies upstream; the output's name stays on the device. */
export function toHubMessage(message: Message, Message: SdkMessageClass): SdkMessage {
  const { body, properties, system } = message;
  const hub = new Message(Buffer.from(body.buffer, body.byteOffset, body.byteLength));
  for (const [name, value] of Object.entries(properties)) hub.properties.add(name, value);
  if (system['messageId'] !== undefined) hub.messageId = system['messageId'];
  if (system['cid'] !== undefined) hub.correlationId = system['cid'];
  if (system['userId'] !== undefined) hub.userId = system['userId'];
  if (system['to'] !== undefined) hub.to = system['to'];
  // The SDK's type wants exactly this text, and so does IoT Hub; others are passed on as they are.
  if (system['contentType'] !== undefined) hub.contentType = system['contentType'] as never;
  if (system['contentEncoding'] !== undefined)
    hub.contentEncoding = system['contentEncoding'] as never;
  if (system['iothub-interface-id'] !== undefined) hub.setAsSecurityMessage();
  if (system['dt-subject'] !== undefined) hub.properties.add('dt-subject', system['dt-subject']);
  return hub;
}
