/** DPS over MQTT: one client that wants to register, after its CONNECT (spec/iothub.md §7). */
import type { IConnectPacket, IPublishPacket, Packet } from 'mqtt-packet';
import type { Json, JsonObject } from '../core/json.ts';
import type { ClientCertificate } from './client-certificate.ts';
import { HubError } from './hub-error.ts';
import { returnCodes } from './mqtt-connect.ts';
import { asHubError } from './mqtt-requests.ts';
import type { Admitted, Registrations } from './registrations.ts';
import { payloadIn } from './rest-registrations.ts';
import type { Surroundings } from './settings.ts';
import { errorBody } from './tracking.ts';

/** `{idScope}/registrations/{registrationId}/api-version=…` */
const USERNAME = /^([^/]+)\/registrations\/([^/]+)\/(api-version=.*)$/;
const RESPONSES = '$dps/registrations/res/#';
const REQUEST =
  /^\$dps\/registrations\/(PUT\/iotdps-register|GET\/iotdps-get-operationstatus)\/\?(.*)$/;
/** SUBACK's word for a filter that is not granted. */
const NOT_GRANTED = 0x80;

/** Does this CONNECT ask for the provisioning service? */
export function isForRegistration({ username = '' }: IConnectPacket): boolean {
  return USERNAME.test(username);
}

/** What the client sends after its CONNECT; gives what is wrong with it, then it is cut off. */
export type RegistrationClient = (packet: Packet) => string | undefined;

export function openRegistration(
  packet: IConnectPacket,
  certificate: ClientCertificate | undefined,
  registrations: Registrations,
  { clock, settings }: Surroundings,
  send: (packet: Packet) => void,
): RegistrationClient | { readonly refused: number } {
  const [, idScope = '', registrationId = ''] = USERNAME.exec(packet.username ?? '') ?? [];
  if (packet.clientId !== registrationId) return { refused: returnCodes.notAuthorized };
  let admitted: Admitted;
  try {
    const token = packet.password?.toString('utf8') ?? '';
    admitted = registrations.admit({ idScope, registrationId, token, certificate });
  } catch (cause) {
    if (!(cause instanceof HubError)) throw cause;
    return { refused: returnCodes.notAuthorized };
  }
  send({ cmd: 'connack', returnCode: 0, sessionPresent: false });
  let listens = false;

  function answer(rid: string, status: number, body: JsonObject, waits = false): void {
    if (!listens) return;
    const later = waits ? `&retry-after=${settings.dpsRetryAfterS}` : '';
    send({
      cmd: 'publish',
      qos: 0,
      dup: false,
      retain: false,
      topic: `$dps/registrations/res/${status}/?$rid=${rid}${later}`,
      payload: JSON.stringify(body),
    });
  }

  function publish({ topic, payload, qos, messageId }: IPublishPacket): string | undefined {
    const [, what, query] = REQUEST.exec(topic) ?? [];
    if (what === undefined) return `it published to ${topic.slice(0, 200)}`;
    if (qos === 2) return 'it published with QoS 2';
    if (qos === 1) send({ cmd: 'puback', messageId: messageId as number });
    const fields = new URLSearchParams(query);
    const rid = fields.get('$rid') ?? '';
    try {
      if (what.startsWith('PUT')) {
        const wanted = payloadIn(parse(payload), admitted);
        answer(rid, 202, registrations.register(admitted, wanted), true);
      } else {
        const found = registrations.operation(admitted, fields.get('operationId') ?? '');
        const waits = found['status'] === 'assigning';
        answer(rid, waits ? 202 : 200, found, waits);
      }
    } catch (cause) {
      const error = asHubError(cause);
      answer(rid, error.status, errorBody(error, clock.now()));
    }
    return undefined;
  }

  return (packet) => {
    switch (packet.cmd) {
      case 'publish':
        return publish(packet);
      case 'subscribe': {
        const granted = packet.subscriptions.map(({ topic, qos }) =>
          topic === RESPONSES ? Math.min(qos, 1) : NOT_GRANTED,
        );
        listens ||= granted.some((one) => one !== NOT_GRANTED);
        send({ cmd: 'suback', messageId: packet.messageId as number, granted });
        return undefined;
      }
      case 'unsubscribe':
        listens = false;
        send({ cmd: 'unsuback', messageId: packet.messageId as number, granted: [] });
        return undefined;
      case 'pingreq':
        send({ cmd: 'pingresp' });
        return undefined;
      case 'puback':
        return undefined;
      default:
        return `it sent ${packet.cmd}`;
    }
  };
}

function parse(payload: Buffer | string): Json | undefined {
  const text = payload.toString().trim();
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as Json;
  } catch {
    throw new HubError('ArgumentInvalid', 'the body is no JSON');
  }
}
