/** Sends a message to a device as services do: AMQP 1.0, a token first, then the message (spec/iothub.md §5.8). */
import { Fault } from '../../core/fault.ts';

export type DeviceMessage = {
  readonly body: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly messageId?: string;
  readonly correlationId?: string;
  readonly contentType?: string;
  /** Which outcomes the hub shall tell of: none, positive, negative, full. */
  readonly ack?: string;
};

type Hub = {
  /** As in the connection string. */
  readonly hostName: string;
  readonly host: string;
  readonly port: string | undefined;
  readonly ca: readonly string[] | undefined;
  readonly token: string;
};

const PORT = 5_671;
const TIMEOUT_MS = 20_000;

/** Resolves when the hub has it. Throws UPSTREAM_AWAY, UPSTREAM_REFUSED, CREDENTIALS_REFUSED. */
export async function sendOverAmqp(
  hub: Hub,
  device: string,
  message: DeviceMessage,
): Promise<void> {
  const { default: rhea } = await loadRhea();
  const connection = rhea.create_container().connect({
    transport: 'tls',
    host: hub.host,
    hostname: hub.host,
    servername: hub.host,
    port: hub.port === undefined ? PORT : Number(hub.port),
    reconnect: false,
    ...(hub.ca === undefined ? {} : { ca: [...hub.ca] }),
  });
  const limit = setTimeout(() => connection.emit('late'), TIMEOUT_MS);
  try {
    await new Promise<void>((resolve, reject) => {
      const away = (cause?: unknown): void => {
        const reason = (cause as Error | undefined)?.message ?? 'it closed the connection';
        reject(
          new Fault('UPSTREAM_AWAY', `the hub at ${hub.hostName} (AMQP): ${reason}`, { cause }),
        );
      };
      connection.on('late', () => away(new Error('it did not answer in time')));
      connection.on('disconnected', ({ error }) => away(error));
      connection.on('connection_error', () => away(connection.error));
      connection.on('error', away);
      const refused = (condition: unknown, description: unknown): void =>
        reject(
          new Fault(
            'UPSTREAM_REFUSED',
            `the hub did not take the message for ${device}: ${String(description ?? condition)}`,
          ),
        );

      const replies = connection.open_receiver({ source: '$cbs', autoaccept: true });
      const tokens = connection.open_sender('$cbs');
      tokens.once('sendable', () => {
        tokens.send({
          to: '$cbs',
          reply_to: 'cbs',
          message_id: 'token',
          application_properties: {
            operation: 'put-token',
            type: 'servicebus.windows.net:sastoken',
            name: hub.hostName,
          },
          body: hub.token,
        });
      });
      replies.on('message', ({ message: reply }) => {
        const status = Number(reply?.application_properties?.['status-code']);
        if (status >= 300) {
          reject(
            new Fault(
              'CREDENTIALS_REFUSED',
              `the hub at ${hub.hostName} does not know this policy's key (${status})`,
            ),
          );
          return;
        }
        const sender = connection.open_sender('/messages/devicebound');
        sender.on('accepted', () => resolve());
        sender.on('rejected', ({ delivery }) => {
          const problem = delivery?.remote_state as { error?: Record<string, unknown> } | undefined;
          refused(problem?.error?.['condition'], problem?.error?.['description']);
        });
        sender.on('sender_error', () => refused('the link failed', sender.error));
        sender.once('sendable', () => {
          sender.send({
            to: `/devices/${encodeURIComponent(device)}/messages/devicebound`,
            ...optional('message_id', message.messageId),
            ...optional('correlation_id', message.correlationId),
            ...optional('content_type', message.contentType),
            application_properties: {
              ...message.properties,
              ...optional('iothub-ack', message.ack),
            },
            body: rhea.message.data_section(Buffer.from(message.body)) as unknown,
          });
        });
      });
    });
  } finally {
    clearTimeout(limit);
    connection.removeAllListeners('disconnected');
    connection.on('disconnected', () => {});
    connection.close();
  }
}

/** It comes with the development dependencies, as the emulator's do. */
async function loadRhea() {
  try {
    return await import('rhea');
  } catch (cause) {
    throw new Fault(
      'CONFIG_INVALID',
      'send-c2d needs the package rhea, which is not installed here: run it where the development dependencies are',
      { cause },
    );
  }
}

function optional(key: string, value: string | undefined): Readonly<Record<string, string>> {
  return value === undefined ? {} : { [key]: value };
}
