/** One REST call to the hub with the device's own key (spec/iothub.md §6.1). */
import { createHmac } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { Fault } from '../core/fault.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { Clock } from '../core/ports.ts';
import { formatSas, sasTextToSign } from '../core/shared-access-signature.ts';
import type { DeviceConnectionString } from './connection-string.ts';

export type HubRestOptions = {
  readonly connectionString: DeviceConnectionString;
  /** PEM text of a CA to trust besides the system's. */
  readonly ca?: string;
  readonly clock: Clock;
  readonly timeoutMs: number;
};

export type HubAnswer = { readonly status: number; readonly body: JsonObject };

const API_VERSION = '2017-11-08-preview';
/** Long enough for a device whose clock is some minutes off. */
const TOKEN_S = 1_800;
const ANSWER_BYTES_MAX = 1_048_576;

/** Answers of 200 to 404 come back; rejects with UPSTREAM_AWAY, UPSTREAM_REFUSED or CREDENTIALS_REFUSED. */
export async function callHub(
  options: HubRestOptions,
  method: string,
  path: string,
  body?: Json,
): Promise<HubAnswer> {
  const { connectionString, ca, timeoutMs } = options;
  // Loaded with the first call: a device that remembers its identities never needs it.
  const { request } = await import('node:https');
  const [host, port = '443'] = connectionString.hostName.split(':') as [string, string?];
  const text = body === undefined ? undefined : JSON.stringify(body);
  return await new Promise<HubAnswer>((resolve, reject) => {
    const away = (cause: Error): void =>
      reject(
        new Fault(
          'UPSTREAM_AWAY',
          `the hub ${connectionString.hostName} cannot be reached: ${cause.message}`,
          { cause },
        ),
      );
    const asked = request(
      {
        host,
        port,
        method,
        path: `${path}?api-version=${API_VERSION}`,
        timeout: timeoutMs,
        headers: {
          authorization: token(options),
          ...(text === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
          ...(method === 'PUT' && path.includes('/modules/') && isUpdate(body)
            ? { 'if-match': '*' }
            : {}),
        },
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
        response.on('error', away);
        response.on('end', () => {
          const status = response.statusCode ?? 0;
          const fault = refusal(status, `${method} ${path}`, connectionString.hostName);
          if (fault !== undefined) reject(fault);
          else resolve({ status, body: parse(Buffer.concat(chunks).toString()) });
        });
      },
    );
    asked.on('timeout', () => asked.destroy(new Error(`no answer within ${timeoutMs} ms`)));
    asked.on('error', away);
    asked.end(text);
  });
}

/** The hub knows the module already when we name its generation. */
function isUpdate(body: Json | undefined): boolean {
  return isJsonObject(body) && body['generationId'] !== undefined;
}

function token({ connectionString, clock }: HubRestOptions): string {
  const { hostName, deviceId, sharedAccessKey } = connectionString;
  const fields = {
    resource: encodeURIComponent(`${hostName}/devices/${deviceId}`.toLowerCase()),
    expiryS: Math.floor(clock.now() / 1000) + TOKEN_S,
    policy: undefined,
  };
  const key = Buffer.from(sharedAccessKey, 'base64');
  return formatSas(
    fields,
    createHmac('sha256', key).update(sasTextToSign(fields)).digest('base64'),
  );
}

function refusal(status: number, what: string, hub: string): Fault | undefined {
  if (status === 401 || status === 403) {
    return new Fault(
      'CREDENTIALS_REFUSED',
      `the hub ${hub} refused ${what} (${status}): is the device there, enabled, and its key the one in connection_string?`,
    );
  }
  if (status === 429 || status >= 500) {
    return new Fault('UPSTREAM_REFUSED', `the hub ${hub} answered ${status} to ${what}`);
  }
  return undefined;
}

function parse(text: string): JsonObject {
  try {
    const value = JSON.parse(text) as Json;
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
