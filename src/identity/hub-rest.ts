/** One REST call to the hub with the device's own key or certificate (spec/iothub.md §6.1). */
import { Fault } from '../core/fault.ts';
import type { JsonObject } from '../core/json.ts';
import type { DeviceIdentity } from './device-identity.ts';
import { callHttps, type HttpsAnswer, type HttpsCallOptions } from './https-call.ts';
import { signedToken } from './signed-token.ts';

export type HubRestOptions = HttpsCallOptions & { readonly device: DeviceIdentity };

export type HubCall = {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly body?: JsonObject;
  /** Replace what is there, whatever its version; without it a PUT only creates. */
  readonly overwrite?: true;
};

export type HubAnswer = Pick<HttpsAnswer, 'status' | 'body'>;

const API_VERSION = '2017-11-08-preview';

/** The hub's answer, whatever its status. Rejects with UPSTREAM_AWAY when there is none. */
export async function callHub(options: HubRestOptions, call: HubCall): Promise<HubAnswer> {
  const { hostName, deviceId, proof } = options.device;
  const resource = encodeURIComponent(`${hostName}/devices/${deviceId}`.toLowerCase());
  try {
    return await callHttps(options, {
      method: call.method,
      hostName,
      path: `${call.path}?api-version=${API_VERSION}`,
      body: call.body,
      proof,
      headers: {
        ...(proof.kind === 'key' && {
          authorization: signedToken(resource, proof.key, options.clock.now()),
        }),
        ...(call.overwrite === true ? { 'if-match': '*' } : {}),
      },
    });
  } catch (cause) {
    const reason = (cause as Error).message;
    throw new Fault('UPSTREAM_AWAY', `the hub ${hostName} cannot be reached: ${reason}`, { cause });
  }
}
