/** Direct methods: a request to a connected identity, and the wait for its answer (spec/iothub.md §4). */
import type { Json } from '../core/json.ts';
import type { Connections, LiveConnection } from './connections.ts';
import { HubError } from './hub-error.ts';
import { type IdentityName, identityKey } from './identity-name.ts';
import { topicOf } from './mqtt-topics.ts';
import type { Surroundings } from './settings.ts';

export type MethodRequest = {
  readonly methodName: string;
  /** null when the caller gave none. */
  readonly payload: Json;
  readonly responseTimeoutMs: number;
  /** How long to wait for the identity to connect and subscribe. */
  readonly connectTimeoutMs: number;
};

type MethodAnswer = { readonly status: number; readonly payload: Json };

export interface Methods {
  /** Rejects with DeviceNotOnline, GatewayTimeout, ThrottlingException … as HubErrors. */
  call(name: IdentityName, request: MethodRequest): Promise<MethodAnswer>;
  /** What a client published to `$iothub/methods/res/…`; answers nobody waits for are dropped. */
  answer(name: IdentityName, rid: string, status: number, body: string): void;
  /** Whoever still waits for an identity to connect waits no more. */
  stop(): void;
}

type Pending = {
  readonly settle: (answer: MethodAnswer | HubError) => void;
  readonly connection: LiveConnection;
};

export function createMethods(connections: Connections, surroundings: Surroundings): Methods {
  const { clock, settings } = surroundings;
  const pendingByKey = new Map<string, Map<string, Pending>>();
  const waiting = new Set<() => void>();
  let lastRid = 0;

  function ready(name: IdentityName): LiveConnection | undefined {
    const connection = connections.find(name);
    return connection?.subscribed('methods') === true ? connection : undefined;
  }

  function waitForConnection(name: IdentityName, limitMs: number): Promise<LiveConnection> {
    const already = ready(name);
    if (already !== undefined) return Promise.resolve(already);
    const offline = new HubError('DeviceNotOnline', 'Timed out waiting for device to connect.', {
      timeoutS: limitMs / 1000,
    });
    if (limitMs === 0) return Promise.reject(offline);
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        stopWatch();
        stopTimer();
        waiting.delete(giveUp);
        settle();
      };
      const giveUp = (): void => end(() => reject(offline));
      const stopWatch = connections.watch(name, () => {
        const connection = ready(name);
        if (connection !== undefined) end(() => resolve(connection));
      });
      const stopTimer = clock.after(Math.max(0, limitMs - settings.methodEarlyMs), giveUp);
      waiting.add(giveUp);
    });
  }

  function ask(
    connection: LiveConnection,
    request: MethodRequest,
    pending: Map<string, Pending>,
  ): Promise<MethodAnswer> {
    const { name } = connection;
    const rid = (++lastRid).toString(16);
    return new Promise((resolve, reject) => {
      const settle: Pending['settle'] = (answer) => {
        pending.delete(rid);
        if (pending.size === 0) pendingByKey.delete(identityKey(name));
        stopWatch();
        stopTimer();
        if (answer instanceof HubError) reject(answer);
        else resolve(answer);
      };
      const stopWatch = connections.watch(name, () => {
        if (connections.find(name) === connection) return;
        settle(
          new HubError('DeviceConnectionClosedRemotely', 'The device left before it answered.'),
        );
      });
      const stopTimer = clock.after(request.responseTimeoutMs - settings.methodEarlyMs, () =>
        settle(
          new HubError('GatewayTimeout', 'Timed out waiting for the response from device.', {
            timeoutS: request.responseTimeoutMs / 1000,
          }),
        ),
      );
      pending.set(rid, { settle, connection });
      // The text `null` when there is no payload: the SDK answers 400 to an empty body (§4.1).
      connection.publish(topicOf.method(request.methodName, rid), JSON.stringify(request.payload));
    });
  }

  return {
    stop() {
      for (const giveUp of waiting) giveUp();
    },
    async call(name, request) {
      const connection = await waitForConnection(name, request.connectTimeoutMs);
      const pending = pendingByKey.get(identityKey(name)) ?? new Map<string, Pending>();
      if (pending.size >= settings.methodsPendingMax) {
        throw new HubError(
          'ThrottlingException',
          `${identityKey(name)} has ${pending.size} methods to answer already`,
        );
      }
      pendingByKey.set(identityKey(name), pending);
      return await ask(connection, request, pending);
    },
    answer(name, rid, status, body) {
      const asked = pendingByKey.get(identityKey(name))?.get(rid);
      if (asked === undefined) return;
      if (Buffer.byteLength(body) > settings.methodPayloadBytesMax) {
        asked.settle(new HubError('MessageTooLarge', "the device's answer is over 128 KB"));
        return;
      }
      try {
        asked.settle({ status, payload: body === '' ? null : (JSON.parse(body) as Json) });
      } catch {
        asked.settle(new HubError('BadDeviceResponse', "the device's answer is no JSON"));
      }
    },
  };
}
