/** One HTTPS call for JSON, bounded in time and size; whoever makes it says what it is for. */
import type { IncomingHttpHeaders } from 'node:http';
import { rootCertificates } from 'node:tls';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { Clock } from '../core/ports.ts';
import type { DeviceProof } from './device-identity.ts';

export type HttpsCallOptions = {
  /** PEM text of a CA to trust besides the system's. */
  readonly ca?: string;
  readonly clock: Clock;
  /** From the first packet to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Ends what is under way. */
  readonly signal: AbortSignal;
};

export type HttpsCall = {
  readonly method: 'GET' | 'PUT';
  /** Host name, with `:port` when it is not HTTPS's own. */
  readonly hostName: string;
  /** With its query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: JsonObject | undefined;
  /** A certificate is shown to TLS; a key is the caller's to use, in a header. */
  readonly proof: DeviceProof;
};

export type HttpsAnswer = {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** `{}` when it was no JSON object: the status says what there is to say. */
  readonly body: JsonObject;
};

const ANSWER_BYTES_MAX = 262_144;

/** The answer, whatever its status. Rejects with an Error that says why there is none. */
export async function callHttps(
  { ca, clock, timeoutMs, signal }: HttpsCallOptions,
  { method, hostName, path, headers, body, proof }: HttpsCall,
): Promise<HttpsAnswer> {
  // Loaded with the first call: a device that remembers its identities never needs it.
  const { request } = await import('node:https');
  const [host, port = '443'] = hostName.split(':') as [string, string?];
  const text = body === undefined ? undefined : JSON.stringify(body);
  let stopClock: () => void = () => {};
  try {
    return await new Promise<HttpsAnswer>((resolve, reject) => {
      const asked = request(
        {
          host,
          port,
          method,
          path,
          signal,
          agent: false,
          headers: {
            ...headers,
            ...(text === undefined ? {} : { 'content-type': 'application/json; charset=utf-8' }),
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
            const { statusCode: status = 0, headers: told } = response;
            resolve({ status, headers: told, body: parse(Buffer.concat(chunks).toString()) });
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
    if (signal.aborted) throw new Error('the runtime is stopping', { cause });
    throw cause;
  } finally {
    stopClock();
  }
}

function parse(text: string): JsonObject {
  try {
    const value = JSON.parse(text) as Json;
    return isJsonObject(value) ? value : {};
  } catch {
    return {};
  }
}
