/** The hub's service side over REST, for a person's commands: works alike with the emulator and a real hub. */
import { createHmac, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { rootCertificates } from 'node:tls';
import { Fault } from '../../core/fault.ts';
import type { Json, JsonObject } from '../../core/json.ts';
import { formatSas, sasTextToSign } from '../../core/shared-access-signature.ts';
import type { DeviceMessage } from './amqp-sender.ts';

export type Login = {
  /** `HostName=…;SharedAccessKeyName=…;SharedAccessKey=…` */
  readonly connectionString: string;
  /** PEM file of a CA to trust besides the system's. */
  readonly caFile: string | undefined;
};

/** One event the hub received, as the emulator's stream tells it. */
export type HubEvent = {
  readonly seq: number;
  readonly enqueuedTime: string;
  readonly deviceId: string;
  readonly moduleId: string | null;
  readonly properties: Readonly<Record<string, string>>;
  readonly systemProperties: Readonly<Record<string, string>>;
  readonly body: Json;
};

type CallOptions = {
  /** A 404 gives undefined instead of a Fault. */
  readonly absentIsFine?: boolean;
  /** Whatever its etag is: the hub insists on a word about it where something is changed or deleted. */
  readonly anyEtag?: boolean;
  readonly timeoutMs?: number;
};

export interface ServiceClient {
  readonly hostName: string;
  /** The answer's JSON, null when it has none. */
  call(method: string, path: string, body?: Json, options?: CallOptions): Promise<Json | undefined>;
  /** All that a query finds, page after page. @param path what is asked; default the hub's devices. */
  query(text: string, path?: string): Promise<readonly Json[]>;
  /** Sends a message to a device, over AMQP: the hub has no other way that is documented. */
  send(device: string, message: DeviceMessage): Promise<void>;
  /** Calls `event` for each event after `since` until `stop` is called; `ended` when the stream is over. */
  events(
    filter: {
      readonly device?: string;
      readonly module?: string;
      /** Seq of an event, or `latest`: only what comes from now on. */
      readonly since?: string;
    },
    event: (event: HubEvent) => void,
  ): { readonly stop: () => void; readonly opened: Promise<void>; readonly ended: Promise<void> };
}

const API_VERSION = '2021-04-12';
/** Of the provisioning service. */
const DPS_API_VERSION = '2021-10-01';
const DPS_PATH = /^\/(enrollments|enrollmentGroups|registrations)\b/;
const TOKEN_S = 3_600;
const TIMEOUT_MS = 40_000;

/** @param now the time its tokens are made for. */
export function createServiceClient(login: Login, now: () => number = Date.now): ServiceClient {
  const fields = parseLogin(login.connectionString);
  const ca = login.caFile === undefined ? undefined : [...rootCertificates, readCa(login.caFile)];
  const [host, port] = fields.hostName.split(':');

  function token(): string {
    const sas = {
      resource: encodeURIComponent(fields.hostName),
      expiryS: Math.floor(now() / 1000) + TOKEN_S,
      policy: fields.policy,
    };
    const key = Buffer.from(fields.key, 'base64');
    return formatSas(sas, createHmac('sha256', key).update(sasTextToSign(sas)).digest('base64'));
  }

  function open(
    method: string,
    path: string,
    headers: Readonly<Record<string, string>>,
    body: string | undefined,
    timeoutMs: number | undefined,
  ): { readonly response: Promise<IncomingMessage>; readonly stop: () => void } {
    const asked = request({
      host,
      port: port ?? 443,
      method,
      path: `${path}${path.includes('?') ? '&' : '?'}api-version=${DPS_PATH.test(path) ? DPS_API_VERSION : API_VERSION}`,
      headers: { authorization: token(), ...headers },
      ...(ca === undefined ? {} : { ca }),
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    });
    const response = new Promise<IncomingMessage>((resolve, reject) => {
      asked.on('response', resolve);
      asked.on('timeout', () => asked.destroy(new Error('it did not answer in time')));
      asked.on('error', (cause) =>
        reject(
          new Fault('UPSTREAM_AWAY', `the hub at ${fields.hostName}: ${cause.message}`, { cause }),
        ),
      );
    });
    asked.end(body);
    return { response, stop: () => asked.destroy() };
  }

  async function exchange(
    method: string,
    path: string,
    body: Json | undefined,
    more: Readonly<Record<string, string>>,
    timeoutMs = TIMEOUT_MS,
  ): Promise<{ readonly response: IncomingMessage; readonly text: string }> {
    const text = body === undefined ? undefined : JSON.stringify(body);
    const headers: Record<string, string> = { accept: 'application/json', ...more };
    if (text !== undefined) headers['content-type'] = 'application/json; charset=utf-8';
    const response = await open(method, path, headers, text, timeoutMs).response;
    return { response, text: await readAll(response) };
  }

  return {
    hostName: fields.hostName,
    async call(method, path, body, { absentIsFine = false, anyEtag = false, timeoutMs } = {}) {
      const headers: Record<string, string> = anyEtag ? { 'if-match': '*' } : {};
      const { response, text } = await exchange(method, path, body, headers, timeoutMs);
      const status = response.statusCode ?? 0;
      if (status === 404 && absentIsFine) return undefined;
      if (status >= 300) throw refusal(method, path, status, text);
      return text === '' ? null : (JSON.parse(text) as Json);
    },
    async query(query, path = '/devices/query') {
      const found: Json[] = [];
      let continuation = '';
      do {
        const headers: Record<string, string> =
          continuation === '' ? {} : { 'x-ms-continuation': continuation };
        const { response, text } = await exchange('POST', path, { query }, headers);
        const status = response.statusCode ?? 0;
        if (status >= 300) throw refusal('POST', path, status, text);
        found.push(...(JSON.parse(text) as readonly Json[]));
        continuation = response.headers['x-ms-continuation']?.toString() ?? '';
      } while (continuation !== '');
      return found;
    },
    async send(device, message) {
      const { sendOverAmqp } = await import('./amqp-sender.ts');
      const hub = { hostName: fields.hostName, host: host as string, port, ca, token: token() };
      await sendOverAmqp(hub, device, message);
    },
    events(filter, event) {
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(filter)) query.set(name, String(value));
      const path = `/emulator/events?${query.toString()}`;
      const stream = open('GET', path, { accept: 'text/event-stream' }, undefined, undefined);
      const opened = stream.response.then(({ statusCode }) => {
        if (statusCode !== 200) throw new Fault('UPSTREAM_REFUSED', 'the hub gave no events');
      });
      return { stop: stream.stop, opened, ended: follow(stream.response, path, event) };
    },
  };
}

async function follow(
  opening: Promise<IncomingMessage>,
  path: string,
  event: (event: HubEvent) => void,
): Promise<void> {
  const response = await opening;
  const status = response.statusCode ?? 0;
  if (status === 404) {
    throw new Fault(
      'UPSTREAM_REFUSED',
      'only the emulator tells its events over HTTPS: a hub in Azure does at its Event Hubs endpoint, with `az iot hub monitor-events`',
    );
  }
  if (status !== 200) throw refusal('GET', path, status, await readAll(response));
  response.setEncoding('utf8');
  let rest = '';
  try {
    for await (const chunk of response) {
      const blocks = (rest + String(chunk)).split('\n\n');
      rest = blocks.pop() as string;
      for (const block of blocks) {
        const data = block
          .split('\n')
          .filter((line) => line.startsWith('data:'))
          .map((line) => line.slice(5).trim())
          .join('\n');
        if (data !== '') event(JSON.parse(data) as HubEvent);
      }
    }
  } catch (cause) {
    // Stopped by us, or the hub went: either way the stream is over, and the caller decides.
    if ((cause as NodeJS.ErrnoException).code !== 'ECONNRESET') throw cause;
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  response.setEncoding('utf8');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return text;
}

function refusal(method: string, path: string, status: number, answer: string): Fault {
  let reason = answer.slice(0, 500);
  try {
    const { Message, message = reason } = JSON.parse(answer) as JsonObject;
    reason = String(Message ?? message);
  } catch {
    // Not JSON: the text as it is.
  }
  const code = status === 401 || status === 403 ? 'CREDENTIALS_REFUSED' : 'UPSTREAM_REFUSED';
  return new Fault(
    code,
    `the hub answered ${status} to ${method} ${path.split('?')[0]}: ${reason}`,
  );
}

function parseLogin(text: string): { hostName: string; policy: string; key: string } {
  const parts = new Map(
    text.split(';').map((part) => {
      const cut = part.indexOf('=');
      return [part.slice(0, cut), part.slice(cut + 1)] as const;
    }),
  );
  const hostName = parts.get('HostName');
  const policy = parts.get('SharedAccessKeyName');
  const key = parts.get('SharedAccessKey');
  if (hostName === undefined || policy === undefined || key === undefined) {
    throw new Fault(
      'CONFIG_INVALID',
      "the hub's connection string must have HostName, SharedAccessKeyName and SharedAccessKey (a policy's, not a device's)",
    );
  }
  return { hostName, policy, key };
}

function readCa(file: string): string {
  try {
    const pem = readFileSync(file, 'utf8');
    new X509Certificate(pem);
    return pem;
  } catch (cause) {
    throw new Fault(
      'CONFIG_INVALID',
      `the CA file ${file} cannot be used: ${(cause as Error).message}`,
      { cause },
    );
  }
}
