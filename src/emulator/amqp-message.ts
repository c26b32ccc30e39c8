/** An AMQP message to a device as the hub keeps it, and its refusals as AMQP words them (spec/iothub.md §5.8). Pure. */
import { type MessageAck, messageAcks, type NewDeviceMessage } from './device-messages.ts';
import { HubError, type HubErrorName } from './hub-error.ts';

const ADDRESS = /^(?:amqps:\/\/[^/]+)?\/devices\/([^/]+)\/messages\/devicebound$/i;
const ACK = 'iothub-ack';

/** Everything may be anything: it comes from outside. */
type Given = { readonly [key: string]: unknown };

/** Throws ArgumentInvalid with every problem. */
export function readAmqpMessage(given: Given): {
  readonly device: string;
  readonly message: NewDeviceMessage;
} {
  const to = textOf(given['to']) ?? '';
  const device = decode(ADDRESS.exec(to)?.[1] ?? '');
  const properties = Object.entries((given['application_properties'] ?? {}) as Given);
  const ack = String(properties.find(([name]) => name === ACK)?.[1] ?? 'none').toLowerCase();
  const body = bytesOf(given['body']);
  const problems = [
    device === '' ? '"to" must be /devices/{id}/messages/devicebound' : '',
    messageAcks.includes(ack as MessageAck)
      ? ''
      : `${ACK} must be one of ${messageAcks.join(', ')}`,
    body === undefined ? 'the body must be data or a text' : '',
  ].filter((problem) => problem !== '');
  if (problems.length > 0) throw new HubError('ArgumentInvalid', problems.join('; '));
  const expiry = given['absolute_expiry_time'];
  const system = {
    'message-id': textOf(given['message_id']),
    'correlation-id': textOf(given['correlation_id']),
    'user-id': textOf(given['user_id']),
    'content-type': textOf(given['content_type']),
    'content-encoding': textOf(given['content_encoding']),
  };
  return {
    device,
    message: {
      body: body as Uint8Array,
      ack: ack as MessageAck,
      expiresAtMs:
        expiry instanceof Date || typeof expiry === 'number' ? Number(expiry) : undefined,
      system: Object.fromEntries(
        Object.entries(system).filter((entry): entry is [string, string] => Boolean(entry[1])),
      ),
      properties: Object.fromEntries(
        properties
          .filter(([name]) => name !== ACK)
          .map(([name, value]) => [name, value === null ? null : String(value)]),
      ),
    },
  };
}

const conditions: Partial<Record<HubErrorName, string>> = {
  ArgumentInvalid: 'com.microsoft:argument-error',
  DeviceNotFound: 'amqp:not-found',
  ThrottlingException: 'com.microsoft:device-container-throttled',
  IotHubQuotaExceeded: 'com.microsoft:quota-exceeded',
  DeviceMaximumQueueDepthExceeded: 'amqp:resource-limit-exceeded',
  MessageTooLarge: 'amqp:link:message-size-exceeded',
};

/** Why a message was not taken, as the SDK reads it. What is no refusal of ours stays our own affair. */
export function amqpProblem(cause: unknown): {
  readonly condition: string;
  readonly description: string;
} {
  if (!(cause instanceof HubError)) {
    return { condition: 'amqp:internal-error', description: 'the hub could not do it' };
  }
  return {
    condition: conditions[cause.errorName] ?? 'amqp:internal-error',
    description: cause.message,
  };
}

function textOf(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return Buffer.isBuffer(value) ? value.toString() : undefined;
}

/** The body of a data section, of several, or a text. */
function bytesOf(body: unknown): Uint8Array | undefined {
  if (typeof body === 'string') return Buffer.from(body);
  if (body === undefined || body === null) return Buffer.alloc(0);
  const { content } = body as { readonly content?: unknown };
  if (Buffer.isBuffer(body)) return body;
  if (Buffer.isBuffer(content)) return content;
  return Array.isArray(content) && content.every((part) => Buffer.isBuffer(part))
    ? Buffer.concat(content as Buffer[])
    : undefined;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return '';
  }
}
