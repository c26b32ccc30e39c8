/** REST: direct methods (spec/iothub.md §4.2). */
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import { HubError } from './hub-error.ts';
import type { IdentityRegistry } from './identity-registry.ts';
import type { MethodRequest, Methods } from './methods.ts';
import { nameIn } from './rest-identities.ts';
import type { RestReply, RestRequest, RestRoute } from './rest-router.ts';

/** Seconds, as the hub allows and defaults them. */
const RESPONSE = { min: 5, max: 300, fallback: 30 };
const CONNECT = { min: 0, max: 300, fallback: 0 };
const NAME_LENGTH_MAX = 100;

export function methodRoutes(
  registry: IdentityRegistry,
  methods: Methods,
  payloadBytesMax: number,
): readonly RestRoute[] {
  async function call(request: RestRequest): Promise<RestReply> {
    const name = nameIn(request);
    registry.get(name);
    const { status, payload } = await methods.call(
      name,
      parseRequest(request.body, payloadBytesMax),
    );
    return { status: 200, body: { status, payload } };
  }
  return ['/twins/:device/methods', '/twins/:device/modules/:module/methods'].map((path) => ({
    method: 'POST',
    path,
    right: 'ServiceConnect',
    handle: call,
  }));
}

function parseRequest(body: Json | undefined, payloadBytesMax: number): MethodRequest {
  const given: JsonObject = isJsonObject(body ?? null) ? (body as JsonObject) : {};
  const problems: string[] = [];
  const methodName = given['methodName'];
  // What would end up inside an MQTT topic must not look like more of it.
  if (typeof methodName !== 'string' || !/^[^/+#\s\p{Cc}]+$/u.test(methodName)) {
    problems.push('methodName must be text without spaces, slashes, + and #');
  } else if (methodName.length > NAME_LENGTH_MAX) {
    problems.push(`methodName is longer than ${NAME_LENGTH_MAX} characters`);
  }
  const payload = given['payload'] ?? null;
  if (Buffer.byteLength(JSON.stringify(payload)) > payloadBytesMax) {
    problems.push(`payload is larger than ${payloadBytesMax} bytes`);
  }
  const responseTimeoutMs = seconds('responseTimeoutInSeconds', given, RESPONSE, problems);
  const connectTimeoutMs = seconds('connectTimeoutInSeconds', given, CONNECT, problems);
  if (problems.length > 0) throw new HubError('ArgumentInvalid', problems.join('; '));
  return { methodName: methodName as string, payload, responseTimeoutMs, connectTimeoutMs };
}

function seconds(
  key: string,
  given: JsonObject,
  limits: { readonly min: number; readonly max: number; readonly fallback: number },
  problems: string[],
): number {
  const value = given[key] ?? limits.fallback;
  if (typeof value !== 'number' || !(value >= limits.min && value <= limits.max)) {
    problems.push(`${key} must be a number from ${limits.min} to ${limits.max}`);
    return 0;
  }
  return value * 1_000;
}
