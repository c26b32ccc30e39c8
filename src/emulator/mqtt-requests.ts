/** What a connected client's PUBLISH does: telemetry, twin requests, answers to methods. */
import type { Json } from '../core/json.ts';
import { asText } from '../lib/text.ts';
import type { DeviceAccess } from './authorization.ts';
import type { Events, NewEvent } from './events.ts';
import type { Faults } from './faults.ts';
import { HubError } from './hub-error.ts';
import type { IdentityName } from './identity-name.ts';
import type { Methods } from './methods.ts';
import { parsePublishTopic, readMessageBag, topicOf } from './mqtt-topics.ts';
import type { Surroundings } from './settings.ts';
import { errorBody } from './tracking.ts';
import { deviceView } from './twin-document.ts';
import type { TwinService } from './twin-service.ts';

const BUSY = 'the hub is busy: come back later';

/** The client a publish came from. */
export type Publisher = {
  readonly name: IdentityName;
  readonly access: DeviceAccess;
  /** Replies go nowhere when the client has not subscribed to them. */
  reply(topic: string, payload: string): void;
};

type Publish = {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
  readonly will: boolean;
};

export interface MqttRequests {
  /**
   * Serves one PUBLISH. `done` is called when it may be acknowledged, or with an error when it could
   * not be kept. Returns why the client must be cut off, undefined when all is well.
   */
  serve(publisher: Publisher, publish: Publish, done: (error?: Error) => void): string | undefined;
}

export function createMqttRequests(
  parts: {
    readonly events: Events;
    readonly twins: TwinService;
    readonly methods: Methods;
    readonly faults: Faults;
  },
  surroundings: Surroundings,
): MqttRequests {
  const { clock, log, settings } = surroundings;
  const { events, twins, methods, faults } = parts;

  /** Sends what `work` gives as the reply to a twin request, or the refusal it throws. */
  function replyTwin(
    publisher: Publisher,
    rid: string,
    work: () => { status: number; version?: number; body: string },
  ): void {
    try {
      if (faults.state().throttle) throw new HubError('ThrottlingException', BUSY);
      const { status, version, body } = work();
      publisher.reply(topicOf.twinResponse(status, rid, version), body);
    } catch (cause) {
      const error = asHubError(cause);
      if (error.errorName === 'ServerError') log.error('a twin request failed', { error: cause });
      // The Node SDK takes a reply without an errorCode in its body for a success (§3.2).
      const body = JSON.stringify(errorBody(error, clock.now()));
      publisher.reply(topicOf.twinResponse(error.status, rid), body);
    }
  }

  return {
    serve(publisher, publish, done) {
      const request = parsePublishTopic(publish.topic, publisher.name);
      if (request === undefined) return `it may not publish to ${publish.topic.slice(0, 200)}`;
      if (request.kind === 'event') {
        const event = newEvent(publisher, publish, request.bag);
        const size = eventSize(event);
        if (size > settings.messageBytesMax) {
          return `its message has ${size} bytes, more than ${settings.messageBytesMax}`;
        }
        events.append(event, done);
        return undefined;
      }
      const text = asText(publish.payload);
      if (request.kind === 'twin read') {
        replyTwin(publisher, request.rid, () => ({
          status: 200,
          body: JSON.stringify(deviceView(twins.read(publisher.name))),
        }));
      } else if (request.kind === 'twin report') {
        replyTwin(publisher, request.rid, () => ({
          status: 204,
          version: twins.report(publisher.name, parseBody(text), request.baseVersion),
          body: '',
        }));
      } else {
        methods.answer(publisher.name, request.rid, request.status, text ?? '');
      }
      done();
      return undefined;
    },
  };
}

/** An event with the hub's stamps (spec/iothub.md §2.2). */
function newEvent(publisher: Publisher, publish: Publish, bag: string): NewEvent {
  const { name, access } = publisher;
  const { properties, system } = readMessageBag(bag);
  return {
    name,
    body: publish.payload,
    properties: {
      ...properties,
      ...(publish.retain ? { 'mqtt-retain': 'true' } : {}),
      ...(publish.will ? { 'iothub-MessageType': 'Will' } : {}),
    },
    systemProperties: system,
    annotations: {
      'iothub-connection-device-id': name.device,
      ...(name.module === '' ? {} : { 'iothub-connection-module-id': name.module }),
      'iothub-connection-auth-generation-id': access.identity.generationId,
      'iothub-connection-auth-method': JSON.stringify({
        scope: access.scope,
        type: access.type,
        issuer: 'iothub',
        acceptingIpFilterRule: null,
      }),
      'iothub-message-source': 'Telemetry',
    },
  };
}

/** The hub's count: body, values of system properties, names and values of the user's. */
function eventSize(event: NewEvent): number {
  let size = event.body.byteLength;
  for (const [key, value] of Object.entries(event.properties)) {
    size += Buffer.byteLength(key) + Buffer.byteLength(value ?? '');
  }
  for (const value of Object.values(event.systemProperties)) size += Buffer.byteLength(value);
  return size;
}

function parseBody(text: string | undefined): Json {
  try {
    return JSON.parse(text ?? '') as Json;
  } catch {
    throw new HubError('ArgumentInvalid', 'the body is no JSON');
  }
}

/** Anything that is no HubError is ours (or the disk's) and becomes a 500. */
export function asHubError(cause: unknown): HubError {
  return cause instanceof HubError
    ? cause
    : new HubError('ServerError', 'the emulator could not do it: see its log');
}
