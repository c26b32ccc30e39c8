/** Asking the provisioning service which hub this device belongs to, over HTTPS (spec/iotedge.md §12.2). */
import { Fault } from '../core/fault.ts';
import type { Json, JsonObject } from '../core/json.ts';
import type { DeviceProof } from './device-identity.ts';
import { callHttps, type HttpsAnswer, type HttpsCallOptions } from './https-call.ts';
import { signedToken } from './signed-token.ts';

/** Who asks whom. */
export type DpsLogin = {
  /** Host name, with `:port` when it is not the standard one. */
  readonly endpoint: string;
  readonly idScope: string;
  readonly registrationId: string;
  readonly proof: DeviceProof;
  readonly payload: Json | undefined;
};

export type Assignment = { readonly hostName: string; readonly deviceId: string };

const API_VERSION = '2021-06-01';
/** Between two questions, when the service does not say. */
const POLL_MS = 3_000;
const POLL_MS_MAX = 60_000;
/** A registration that is not through by then is begun anew. */
const LIMIT_MS = 300_000;
/** The longest piece of the service's own words that is passed on. */
const REASON_CHARS_MAX = 300;

/**
 * The hub the device was assigned to. Rejects with UPSTREAM_AWAY, UPSTREAM_REFUSED or CREDENTIALS_REFUSED;
 * all of them may be different the next time.
 */
export async function registerAtDps(
  options: HttpsCallOptions,
  { endpoint, idScope, registrationId, proof, payload }: DpsLogin,
): Promise<Assignment> {
  const { clock, signal } = options;
  const resource = `${idScope}/registrations/${registrationId}`;
  const base = `/${encodeURIComponent(idScope)}/registrations/${encodeURIComponent(registrationId)}`;

  async function ask(method: 'GET' | 'PUT', path: string, body?: JsonObject): Promise<HttpsAnswer> {
    const headers =
      proof.kind === 'key'
        ? {
            authorization: signedToken(
              encodeURIComponent(resource),
              proof.key,
              clock.now(),
              'registration',
            ),
          }
        : {};
    const url = `${base}${path}?api-version=${API_VERSION}`;
    const call = { method, hostName: endpoint, path: url, headers, body, proof };
    const answer = await callHttps(options, call).catch((cause: Error) => {
      throw new Fault(
        'UPSTREAM_AWAY',
        `the provisioning service ${endpoint} cannot be reached: ${cause.message}`,
        { cause },
      );
    });
    if (answer.status >= 200 && answer.status < 300) return answer;
    throw refusal(answer);
  }

  function refusal({ status, body }: HttpsAnswer): Fault {
    const words = body['message'];
    const reason = typeof words === 'string' ? words.slice(0, REASON_CHARS_MAX) : 'no reason given';
    if (status === 401 || status === 403 || status === 404) {
      return new Fault(
        'CREDENTIALS_REFUSED',
        `the provisioning service ${endpoint} will not register ${registrationId} in ${idScope} (${status}: ${reason}): see that there is an enrollment for it, that id_scope and the key or certificate in [provisioning] are right, and that the clock is`,
      );
    }
    return new Fault('UPSTREAM_REFUSED', `the provisioning service answered ${status} (${reason})`);
  }

  function pause({ headers }: HttpsAnswer): Promise<void> {
    const told = Number(headers['retry-after']) * 1_000;
    const delayMs = told > 0 ? Math.min(told, POLL_MS_MAX) : POLL_MS;
    return new Promise((resolve) => {
      const over = (): void => {
        cancel();
        signal.removeEventListener('abort', over);
        resolve();
      };
      const cancel = clock.after(delayMs, over);
      signal.addEventListener('abort', over);
    });
  }

  const wish: JsonObject = { registrationId, ...(payload === undefined ? {} : { payload }) };
  const endsAt = clock.elapsed() + LIMIT_MS;
  let answer = await ask('PUT', '/register', wish);
  const { operationId } = answer.body;
  while (answer.body['status'] === 'assigning' || answer.body['status'] === 'unassigned') {
    if (clock.elapsed() > endsAt) {
      throw new Fault(
        'TIMED_OUT',
        `the provisioning service ${endpoint} has not assigned ${registrationId} within ${LIMIT_MS / 1_000} s`,
      );
    }
    await pause(answer);
    answer = await ask('GET', `/operations/${encodeURIComponent(String(operationId))}`);
  }
  const state = (answer.body['registrationState'] ?? {}) as JsonObject;
  const { assignedHub, deviceId, status, errorMessage } = state;
  if (typeof assignedHub === 'string' && typeof deviceId === 'string') {
    return { hostName: assignedHub, deviceId };
  }
  throw new Fault(
    'CREDENTIALS_REFUSED',
    `the provisioning service ${endpoint} has not assigned ${registrationId}: it is ${String(status ?? answer.body['status'])}${typeof errorMessage === 'string' ? ` (${errorMessage.slice(0, REASON_CHARS_MAX)})` : ''}: look at its enrollment`,
  );
}
