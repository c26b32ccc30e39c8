/** IoT Hub's MQTT names: usernames, topics, filters and property bags (spec/iothub.md §1.3, §2, §3, §4). Pure. */
import { type IdentityName, identityKey } from './identity-name.ts';

export type Username = IdentityName & {
  readonly host: string;
  readonly clientType: string;
  readonly modelId: string;
};

/**
 * The username of a CONNECT: `host/device[/module]/[?]api-version=…&…`; the query may also be glued to
 * the last id by a `?`. Undefined when it is none, or names no api-version.
 */
export function parseUsername(text: string): Username | undefined {
  const parts = text.split('/');
  const last = parts.pop() as string;
  const at = last.indexOf('?');
  if (at > 0) parts.push(last.slice(0, at));
  const query = last.slice(at + 1);
  const [host = '', device = '', module] = parts;
  if (parts.length < 2 || parts.length > 3 || parts.includes('') || query.includes('?')) {
    return undefined;
  }
  const fields = new Map<string, string>();
  for (const [key, value] of parseBag(query)) {
    if (!fields.has(key) && value !== null) fields.set(key, value);
  }
  if ((fields.get('api-version') ?? '') === '') return undefined;
  return {
    host,
    device,
    module: module ?? '',
    clientType: fields.get('DeviceClientType') ?? '',
    modelId: fields.get('model-id') ?? '',
  };
}

/**
 * A property bag or query as pairs: `key` alone has the value null, `key=` the empty text. A leading
 * `?`, a trailing `/` and empty parts are passed over; `+` is a plus.
 */
export function parseBag(text: string): readonly (readonly [string, string | null])[] {
  return text
    .replace(/^\?/, '')
    .replace(/\/$/, '')
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const at = part.indexOf('=');
      return at < 0
        ? ([decode(part), null] as const)
        : ([decode(part.slice(0, at)), decode(part.slice(at + 1))] as const);
    });
}

/** What a client's PUBLISH asks for. */
export type PublishTopic =
  | { readonly kind: 'event'; readonly bag: string }
  | { readonly kind: 'twin read'; readonly rid: string }
  | {
      readonly kind: 'twin report';
      readonly rid: string;
      /** The version the patch was made for; undefined when any will do. */
      readonly baseVersion: string | undefined;
    }
  | { readonly kind: 'method answer'; readonly status: number; readonly rid: string };

/** The request a topic stands for when `name` publishes to it; undefined when it may not. */
export function parsePublishTopic(topic: string, name: IdentityName): PublishTopic | undefined {
  const events = eventsTopic(name);
  if (topic === events) return { kind: 'event', bag: '' };
  if (topic.startsWith(`${events}/`)) return { kind: 'event', bag: topic.slice(events.length + 1) };
  const request =
    /^\$iothub\/(twin\/GET|twin\/PATCH\/properties\/reported|methods\/res\/(\d{1,9}))\/\?(.*)$/s.exec(
      topic,
    );
  if (request === null) return undefined;
  const [, what, status, query] = request;
  const fields = new Map(parseBag(query as string));
  // The SDKs echo `$rid` as they wrote it; ours holds nothing that needs encoding.
  const rid = fields.get('$rid') ?? '';
  if (rid === '') return undefined;
  if (what === 'twin/GET') return { kind: 'twin read', rid };
  if (status !== undefined) return { kind: 'method answer', status: Number(status), rid };
  return { kind: 'twin report', rid, baseVersion: fields.get('$version') ?? undefined };
}

/** Where an identity publishes its telemetry, without the slash and the bag. */
export function eventsTopic(name: IdentityName): string {
  return `${identityTopic(name)}/messages/events`;
}

/** What a client may subscribe to. The cloud hub grants inputs but never delivers any. */
export type Subscription = 'methods' | 'twin responses' | 'desired' | 'device messages' | 'inputs';

/** The subscription a filter stands for when `name` asks for it; undefined when there is none. */
export function parseFilter(filter: string, name: IdentityName): Subscription | undefined {
  const own = identityTopic(name);
  switch (filter) {
    case '$iothub/methods/POST/#':
      return 'methods';
    case '$iothub/twin/res/#':
      return 'twin responses';
    case '$iothub/twin/PATCH/properties/desired/#':
      return 'desired';
    case `${own}/messages/devicebound/#`:
      return name.module === '' ? 'device messages' : undefined;
    case `${own}/inputs/#`:
    case `${own}/#`:
      return name.module === '' ? undefined : 'inputs';
    default:
      return undefined;
  }
}

/** The highest QoS the hub sends with: twins and methods 0, messages 1. */
export function grantedQos(subscription: Subscription, wanted: number): 0 | 1 {
  const carriesMessages = subscription === 'device messages' || subscription === 'inputs';
  return carriesMessages && wanted > 0 ? 1 : 0;
}

export const topicOf = {
  twinResponse: (status: number, rid: string, version?: number): string =>
    `$iothub/twin/res/${status}/?$rid=${encodeURIComponent(rid)}${version === undefined ? '' : `&$version=${version}`}`,
  desired: (version: number): string =>
    `$iothub/twin/PATCH/properties/desired/?$version=${version}`,
  method: (name: string, rid: string): string => `$iothub/methods/POST/${name}/?$rid=${rid}`,
};

/** System properties by the name they have on the wire and the one a service sees (spec/iothub.md §2.2). */
const systemNames: Readonly<Record<string, string>> = {
  '$.mid': 'message-id',
  '$.cid': 'correlation-id',
  '$.uid': 'user-id',
  '$.to': 'to',
  '$.ct': 'content-type',
  '$.ce': 'content-encoding',
  '$.exp': 'absolute-expiry-time',
  '$.on': 'iothub-outputname',
  '$.ifid': 'iothub-interface-id',
  '$.sub': 'dt-subject',
  '$.ctime': 'iothub-creation-time-utc',
  '$.schema': 'iothub-message-schema',
};

/** Where a cloud-to-device message goes: its properties in the topic, as the real hub forms it (§2.4). */
export function deviceMessageTopic(
  device: string,
  message: {
    readonly properties: Readonly<Record<string, string | null>>;
    readonly system: Readonly<Record<string, string>>;
    readonly ack: string;
  },
): string {
  const own = `devices/${device}/messages/devicebound`;
  const bag: (readonly [string, string | null])[] = [];
  for (const [wire, name] of Object.entries(systemNames)) {
    const value = wire === '$.to' ? `/${own}` : message.system[name];
    if (value !== undefined && value !== '') bag.push([wire, value]);
  }
  if (message.ack !== 'none') bag.push(['iothub-ack', message.ack]);
  bag.push(...Object.entries(message.properties));
  const pairs = bag.map(([key, value]) =>
    value === null
      ? encodeURIComponent(key)
      : `${encodeURIComponent(key)}=${encodeURIComponent(value)}`,
  );
  return `${own}/${pairs.join('&')}`;
}

export type MessageProperties = {
  readonly properties: Readonly<Record<string, string | null>>;
  readonly system: Readonly<Record<string, string>>;
};

/** A telemetry bag, sorted into application and system properties under their service-side names. */
export function readMessageBag(bag: string): MessageProperties {
  const properties: [string, string | null][] = [];
  const system: [string, string][] = [];
  for (const [key, value] of parseBag(bag)) {
    if (Object.hasOwn(systemNames, key)) system.push([systemNames[key] as string, value ?? '']);
    else properties.push([key, value]);
  }
  return { properties: Object.fromEntries(properties), system: Object.fromEntries(system) };
}

function identityTopic(name: IdentityName): string {
  return name.module === ''
    ? `devices/${name.device}`
    : `devices/${name.device}/modules/${name.module}`;
}

/** The client id that belongs to a username. */
export function expectedClientId(username: Username): string {
  return identityKey(username);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
