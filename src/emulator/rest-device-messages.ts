/**
 * REST: messages to devices. The SDK sends them over AMQP; this is the hub's older way, whose headers
 * are not documented any more (spec/iothub.md §5.8) and which needs nothing but curl.
 */
import { type DeviceMessages, type MessageAck, messageAcks } from './device-messages.ts';
import { HubError } from './hub-error.ts';
import type { RestReply, RestRequest, RestRoute } from './rest-router.ts';

/** Header → the name a service knows it by. */
const systemHeaders: Readonly<Record<string, string>> = {
  'iothub-messageid': 'message-id',
  'iothub-correlationid': 'correlation-id',
  'iothub-userid': 'user-id',
  'content-type': 'content-type',
  'content-encoding': 'content-encoding',
};
const APPLICATION = 'iothub-app-';
const ADDRESS = /^\/devices\/([^/]+)\/messages\/devicebound$/i;

export function deviceMessageRoutes(messages: DeviceMessages): readonly RestRoute[] {
  function send({ headers, bytes }: RestRequest): RestReply {
    const text = (name: string): string | undefined => headers[name]?.toString();
    const device = ADDRESS.exec(text('iothub-to') ?? '')?.[1];
    const ack = (text('iothub-ack') ?? 'none').toLowerCase();
    const expiry = text('iothub-expiry');
    const problems = [
      device === undefined ? 'iothub-to must be /devices/{id}/messages/devicebound' : '',
      isAck(ack) ? '' : `iothub-ack must be one of ${messageAcks.join(', ')}`,
      expiry !== undefined && Number.isNaN(Date.parse(expiry)) ? 'iothub-expiry is no time' : '',
    ].filter((problem) => problem !== '');
    if (problems.length > 0) throw new HubError('ArgumentInvalid', problems.join('; '));
    messages.send(decode(device as string), {
      body: bytes,
      ack: ack as MessageAck,
      expiresAtMs: expiry === undefined ? undefined : Date.parse(expiry),
      system: Object.fromEntries(
        Object.entries(systemHeaders).flatMap(([header, name]) => {
          const value = text(header);
          return value === undefined ? [] : [[name, value]];
        }),
      ),
      properties: Object.fromEntries(
        Object.keys(headers)
          .filter((name) => name.startsWith(APPLICATION))
          .map((name) => [name.slice(APPLICATION.length), text(name) ?? '']),
      ),
    });
    return { status: 204 };
  }

  return [
    ...['/messages/devicebound', '/messages/deviceBound'].map(
      (path): RestRoute => ({
        method: 'POST',
        path,
        right: 'ServiceConnect',
        raw: true,
        handle: send,
      }),
    ),
    {
      method: 'DELETE',
      path: '/devices/:device/commands',
      right: 'ServiceConnect',
      handle({ params }) {
        const deviceId = params['device'] as string;
        const totalMessagesPurged = messages.purge(deviceId);
        return { status: 200, body: { deviceId, moduleId: null, totalMessagesPurged } };
      },
    },
  ];
}

function isAck(text: string): text is MessageAck {
  return (messageAcks as readonly string[]).includes(text);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new HubError('ArgumentInvalid', 'iothub-to is not percent-encoded as it must be');
  }
}
