/** Whether a CONNECT packet is let in, and if not, with which return code (spec/iothub.md §1). */
import type { IConnectPacket } from 'mqtt-packet';
import type { Authorization, DeviceAccess } from './authorization.ts';
import type { ClientCertificate } from './client-certificate.ts';
import type { IdentityName } from './identity-name.ts';
import { eventsTopic, expectedClientId, parseUsername } from './mqtt-topics.ts';

export const returnCodes = {
  wrongProtocol: 1,
  unavailable: 3,
  notAuthorized: 5,
  /** MQTT 5's word for a protocol version that is not supported. */
  wrongProtocol5: 0x84,
} as const;

export type Admission =
  | { readonly ok: true; readonly name: IdentityName; readonly access: DeviceAccess }
  | { readonly ok: false; readonly code: number; readonly reason: string };

export function admit(
  packet: IConnectPacket,
  authorization: Authorization,
  certificate: ClientCertificate | undefined,
): Admission {
  if (packet.protocolVersion === 5) {
    return refuse(returnCodes.wrongProtocol5, 'it speaks MQTT 5; IoT Hub speaks 3.1.1');
  }
  if (packet.protocolVersion !== 4) {
    return refuse(returnCodes.wrongProtocol, 'it speaks MQTT 3.1; IoT Hub speaks 3.1.1');
  }
  const username = parseUsername(packet.username ?? '');
  if (username === undefined) {
    return refuse(
      returnCodes.notAuthorized,
      'the username must be {hub}/{device}[/{module}]/?api-version=…',
    );
  }
  if (packet.clientId !== expectedClientId(username)) {
    return refuse(
      returnCodes.notAuthorized,
      `the client id must be ${expectedClientId(username)}, as in the username`,
    );
  }
  const name: IdentityName = { device: username.device, module: username.module };
  const password = packet.password?.toString('utf8') ?? '';
  const verdict = authorization.device(name, password, certificate);
  if (!verdict.ok) return refuse(returnCodes.notAuthorized, verdict.reason);
  const will = packet.will?.topic;
  const events = eventsTopic(name);
  if (will !== undefined && will !== events && !will.startsWith(`${events}/`)) {
    return refuse(returnCodes.notAuthorized, `the will's topic must be below ${events}/`);
  }
  return { ok: true, name, access: verdict.value };
}

function refuse(code: number, reason: string): Admission {
  return { ok: false, code, reason };
}
