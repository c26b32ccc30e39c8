/** IoT Edge's own test data for names on the wire, held by the hub's side and by ours. */
import { readFileSync } from 'node:fs';
import azureDevice from 'azure-iot-device'; // CommonJS: Node cannot name Message
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Message } from '../../src/core/message.ts';
import {
  parseBag,
  parseFilter,
  parsePublishTopic,
  parseUsername,
  readMessageBag,
  topicOf,
} from '../../src/emulator/mqtt-topics.ts';
import { toHubMessage } from '../../src/upstream/hub-message.ts';

type Texts = Readonly<Record<string, string>>;
type Vectors = {
  readonly usernames: readonly ({ readonly username: string } & Texts)[];
  readonly usernameErrors: readonly string[];
  readonly iothubTopics: readonly {
    readonly topic: string;
    readonly operation: string;
    readonly resource: string;
    readonly properties: Texts;
  }[];
  readonly methodRequestTopic: {
    readonly rid: string;
    readonly method: string;
    readonly topic: string;
  };
  readonly inbound: readonly {
    readonly topic: string;
    readonly system?: Texts;
    readonly app?: Texts;
    readonly error?: string;
  }[];
  readonly outbound: readonly { readonly system: Texts; readonly app: Texts }[];
  readonly subscriptions: readonly { readonly filter: string; readonly kind: string }[];
};
const vectors = JSON.parse(
  readFileSync(new URL('../vectors/mqtt-vectors.json', import.meta.url), 'utf8'),
) as Vectors;

/** edgeHub's names of system properties, and those a service of IoT Hub sees. */
const hubNames: Texts = {
  cid: 'correlation-id',
  messageId: 'message-id',
  to: 'to',
  userId: 'user-id',
  outputName: 'iothub-outputname',
  contentType: 'content-type',
  contentEncoding: 'content-encoding',
  messageSchema: 'iothub-message-schema',
  creationTime: 'iothub-creation-time-utc',
  'dt-subject': 'dt-subject',
};

/** Who sent it is not in a message from a client: the hub knows. */
const asHubSees = (system: Texts): Texts =>
  Object.fromEntries(
    Object.entries(system)
      .filter(([name]) => !/^(connection|rpSender)/.test(name))
      .map(([name, value]) => [hubNames[name] as string, value]),
  );

const test = suite('mqtt vectors');

test('usernames', () => {
  assert.ok(vectors.usernames.length > 0);
  for (const { username, deviceId, moduleId, deviceClientType, modelId } of vectors.usernames) {
    assert.equal(
      parseUsername(username),
      {
        host: 'iotHub1',
        device: deviceId,
        module: moduleId,
        clientType: deviceClientType,
        modelId,
      },
      username,
    );
  }
  assert.ok(vectors.usernameErrors.length > 0);
  for (const username of vectors.usernameErrors) {
    assert.is(parseUsername(username), undefined, username);
  }
});

test('topics of twins and methods', () => {
  const kinds: Texts = {
    TwinGetState: 'twin read',
    TwinPatchReportedState: 'twin report',
    DirectMethodResponse: 'method answer',
  };
  assert.ok(vectors.iothubTopics.length > 0);
  for (const { topic, operation, resource, properties } of vectors.iothubTopics) {
    const parsed = parsePublishTopic(topic, { device: 'd1', module: '' });
    assert.is(parsed?.kind, kinds[operation], topic);
    assert.is((parsed as { rid?: string }).rid, properties['$rid']);
    if (parsed?.kind === 'method answer') assert.is(String(parsed.status), resource);
    if (parsed?.kind === 'twin report') assert.is(parsed.baseVersion, properties['$version']);
    const bag = parseBag(topic.slice(topic.indexOf('?') + 1));
    assert.equal(Object.fromEntries(bag.map(([key, text]) => [key, text ?? ''])), properties);
  }
  const { method, rid, topic } = vectors.methodRequestTopic;
  assert.is(topicOf.method(method, rid), topic);
});

test('messages that come in', () => {
  assert.ok(vectors.inbound.length > 0);
  for (const { topic, system = {}, app = {}, error } of vectors.inbound) {
    const name = {
      device: 'Device_6',
      module: system['connectionModuleId'] ?? '',
    };
    const parsed = parsePublishTopic(topic, name);
    if (error !== undefined) {
      assert.is(parsed, undefined, topic);
      continue;
    }
    assert.is(parsed?.kind, 'event', topic);
    const read = readMessageBag((parsed as { bag: string }).bag);
    assert.equal(read, { properties: app, system: asHubSees(system) }, topic);
  }
});

test('messages that go up keep their properties, and say nothing of who sent them', () => {
  assert.ok(vectors.outbound.length > 0);
  for (const { system, app } of vectors.outbound) {
    const message = { body: new Uint8Array(), properties: app, system } as unknown as Message;
    const hub = toHubMessage(message, azureDevice.Message as never);
    const { properties } = hub;
    const written = Array.from({ length: properties.count() }, (_, index) => {
      const { key, value } = properties.getItem(index) as unknown as Texts;
      return [key as string, value as string] as const;
    });
    for (const [name, value] of Object.entries(app)) {
      assert.ok(
        written.some(([key, text]) => key === name && text === value),
        name,
      );
    }
    const wire: readonly (readonly [string, unknown])[] = [
      ['messageId', hub.messageId],
      ['cid', hub.correlationId],
      ['userId', hub.userId],
      ['to', hub.to],
      ['contentType', hub.contentType],
      ['contentEncoding', hub.contentEncoding],
      ['dt-subject', written.find(([key]) => key === '$.sub')?.[1]],
      ['messageSchema', written.find(([key]) => key === '$.schema')?.[1]],
    ];
    for (const [name, value] of wire) assert.is(value ?? '', system[name] ?? '', name);
  }
});

test('subscriptions', () => {
  const kinds: Texts = {
    methods: 'methods',
    c2d: 'device messages',
    twinResponse: 'twin responses',
    moduleMessages: 'inputs',
  };
  assert.ok(vectors.subscriptions.length > 0);
  for (const { filter, kind } of vectors.subscriptions) {
    const module = filter.includes('/modules/') || kind === 'unknown' ? 'm1' : '';
    assert.is(parseFilter(filter, { device: 'd1', module }), kinds[kind], filter);
  }
});

test.run();
