/** One REST call to the hub with the device's own key or certificate (spec/iothub.md §6.1). */
import { createHmac } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { Fault } from '../core/fault.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { Clock } from '../core/ports.ts';
import { formatSas, sasTextToSign } from '../core/shared-access-signature.ts';
import type { DeviceIdentity } from './device-identity.ts';

export type HubRestOptions = {
  readonly device: DeviceIdentity;
  /** PEM text of a CA to trust besides the system's. */
  readonly ca?: string;
  readonly clock: Clock;
  /** From the first packet to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
};

export type HubCall = {
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly body?: JsonObject;
  /** Replace what is there, whatever its version; without it a PUT only creates. */
  readonly overwrite?: true;
};

export type HubAnswer = { readonly status: number; readonly body: JsonObject };

const API_VERSION = '2017-11-08-preview';
/** Long enough for a device whose clock is some minutes off. */
const TOKEN_S = 1_800;
const ANSWER_BYTES_MAX = 262_144;

/** The hub's answer, whatever its status. Rejects with UPSTREAM_AWAY when there is none. */
export async function callHub(options: HubRestOptions, call: HubCall): Promise<HubAnswer> {
  const { device, ca, clock, timeoutMs, signal } = options;
  const { hostName, proof } = device;
  // Loaded with the first call: a device that remembers its identities never needs it.
  const { request } = await import('node:https');
  const [host, port = '443'] = hostName.split(':') as [string, string?];
  const text = call.body === undefined ? undefined : JSON.stringify(call.body);
  let stopClock: () => void = () => {};
  try {
    return await new Promise<HubAnswer>((resolve, reject) => {
      const asked = request(
        {
          host,
          port,
          method: call.method,
          path: `${call.path}?api-version=${API_VERSION}`,
          signal,
          agent: false,
          headers: {
            ...(proof.kind === 'key' && { authorization: token(device, proof.key, clock) }),
            ...(text === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
            ...(call.overwrite === true ? { 'if-match': '*' } : {}),
          },
          ...(proof.kind === 'certificate' && { cert: proof.certificate, key: proof.privateKey }),
          ...(ca === undefined ? {} : { ca: [...rootCertificates, ca] }),
        },
        (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          response.on('data', (chunk: Buffer) => {
            size += chunk.byteLength;
            if (size > ANSWER_BYTES_MAX) asked.destroy(new Error('its answer is too large'));
            else chunks.push(chunk);
          });
          response.on('error', reject);
          response.on('end', () => {
            const body = parse(Buffer.concat(chunks).toString());
            resolve({ status: response.statusCode ?? 0, body });
          });
        },
      );
      stopClock = clock.after(timeoutMs, () => {
        asked.destroy(new Error(`there was no answer within ${timeoutMs / 1000} s`));
      });
      asked.on('error', reject);
      asked.end(text);
    });
  } catch (cause) {
    const reason = signal.aborted ? 'the runtime is stopping' : (cause as Error).message;
    throw new Fault('UPSTREAM_AWAY', `the hub ${hostName} cannot be reached: ${reason}`, { cause });
  } finally {
    stopClock();
  }
}

function token({ hostName, deviceId }: DeviceIdentity, base64: string, clock: Clock): string {
  const fields = {
    resource: encodeURIComponent(`${hostName}/devices/${deviceId}`.toLowerCase()),
    expiryS: Math.floor(clock.now() / 1000) + TOKEN_S,
    policy: undefined,
  };
  const key = Buffer.from(base64, 'base64');
  const signature = createHmac('sha256', key).update(sasTextToSign(fields)).digest('base64');
  return formatSas(fields, signature);
}

function parse(text: string): JsonObject {
  try {
    const value = JSON.parse(text) as Json;
    return isJsonObject(value) ? value : {};
  } catch {
    return {}; // The status says what there is to say.
  }
}
