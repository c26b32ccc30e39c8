/** Messages between the SDK's class and the treaty's names of system properties (spec/iotedge.md §7.1). */
import { LOCAL_MESSAGE_BYTES_MAX, type Properties as WireProperties } from '../../core/message.ts';
import { ArgumentError, MessageTooLargeError } from './errors.ts';
import { Message, Properties } from './message.ts';

/** Field of Message → name on the wire. */
const fields = [
  ['messageId', 'messageId'],
  ['correlationId', 'cid'],
  ['userId', 'userId'],
  ['contentType', 'contentType'],
  ['contentEncoding', 'contentEncoding'],
  ['to', 'to'],
  ['ack', 'ack'],
  ['interfaceId', 'iothub-interface-id'],
] as const;

/** System properties that the SDK shows as application properties, under these names. */
const shown = [
  ['connectionDeviceId', '$.cdid'],
  ['connectionModuleId', '$.cmid'],
  ['dt-subject', '$.sub'],
  ['messageSchema', '$.schema'],
  ['creationTime', '$.ctime'],
] as const;
/** And back. Samples copy all properties of a message; who the sender is, is not theirs to say. */
const systemNameOf = new Map<string, string | null>([
  ...shown.map(([name, key]) => [key, name] as const),
  ['$.cdid', null],
  ['$.cmid', null],
]);

export type WireMessage = {
  readonly p: WireProperties;
  readonly s: WireProperties;
  readonly body: string | Uint8Array;
};

/** Throws ArgumentError for a body no message can have. */
export function toWire(message: Message): WireMessage {
  if (typeof message !== 'object' || message === null) {
    throw new ArgumentError(`message is '${String(message)}'; a Message was expected.`);
  }
  let p = EMPTY;
  let s = EMPTY;
  for (const [field, name] of fields) {
    const value = message[field] as string | null | undefined;
    if (value === undefined || value === null || value === '') continue;
    if (s === EMPTY) s = bag();
    s[name] = String(value);
  }
  const expiry = message.expiryTimeUtc;
  if (expiry) {
    if (s === EMPTY) s = bag();
    s['absolute-expiry-time'] = expiry instanceof Date ? expiry.toISOString() : String(expiry);
  }
  for (const { key, value } of message.properties?.propertyList ?? []) {
    if (p === EMPTY) p = bag();
    if (s === EMPTY) s = bag();
    const system = systemNameOf.get(key);
    if (key === '__proto__') throw new ArgumentError('A property cannot be named __proto__.');
    if (system === undefined) p[key] = String(value);
    else if (system !== null) s[system] = String(value);
  }
  const body = bodyOf(message);
  // The runtime measures exactly; this only keeps what is hopeless from crossing.
  if (body.length > LOCAL_MESSAGE_BYTES_MAX) {
    throw new MessageTooLargeError(
      `A message may have ${LOCAL_MESSAGE_BYTES_MAX} bytes; this body alone has ${body.length} or more.`,
    );
  }
  return { p, s, body };
}

function bodyOf(message: Message): string | Uint8Array {
  const data: unknown = message.data;
  if (typeof data === 'string' || data instanceof Uint8Array) return data;
  if (data === undefined || data === null) return '';
  if (Message.isBufferConvertible(data)) return Buffer.from(data as number[]);
  throw new ArgumentError(
    `A message's data must be a string, a Buffer, an array of bytes or an ArrayBuffer, not ${typeof data}.`,
  );
}

export function fromWire(p: WireProperties, s: WireProperties, body: string | Uint8Array): Message {
  const message = new Message(
    typeof body === 'string' ? Buffer.from(body) : Buffer.from(body.buffer as ArrayBuffer),
  );
  for (const [field, name] of fields) {
    const value = s[name];
    if (value !== undefined) message[field] = value;
  }
  const expiry = s['absolute-expiry-time'];
  if (expiry !== undefined) message.expiryTimeUtc = expiry;
  const properties = new Properties();
  for (const key of Object.keys(p)) properties.propertyList.push({ key, value: p[key] as string });
  for (const [name, key] of shown) {
    const value = s[name];
    if (value !== undefined) properties.propertyList.push({ key, value });
  }
  message.properties = properties;
  return message;
}

/** Most messages have no properties. */
const EMPTY: Record<string, string> = Object.freeze(bag());

/** Without a prototype, whatever the module has done to `Object.prototype`. */
function bag(): Record<string, string> {
  return Object.create(null) as Record<string, string>;
}
