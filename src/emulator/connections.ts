/** Who is connected right now, one connection per identity. */
import { type IdentityName, identityKey } from './identity-name.ts';
import type { Subscription } from './mqtt-topics.ts';
import type { Counters } from './settings.ts';

/** A live MQTT connection as the rest of the hub sees it. */
export interface LiveConnection {
  readonly name: IdentityName;
  subscribed(subscription: Subscription): boolean;
  /** QoS 0. */
  publish(topic: string, payload: string): void;
  /** Cuts the connection; the reason goes to the log. */
  end(reason: string): void;
}

export interface Connections {
  find(name: IdentityName): LiveConnection | undefined;
  count(): number;
  /** Takes the place of an older connection of the same identity, which is cut. */
  add(connection: LiveConnection): void;
  remove(connection: LiveConnection): void;
  /** Tells watchers that a connection came, went, or subscribed to something. */
  changed(name: IdentityName): void;
  /** Calls `run` at every change of this identity's connection, until the result is called. */
  watch(name: IdentityName, run: () => void): () => void;
  /** Cuts an identity's connection if there is one; tells whether there was. */
  end(name: IdentityName, reason: string): boolean;
  /** Returns how many there were. */
  endAll(reason: string): number;
}

export function createConnections(counters: Counters): Connections {
  const live = new Map<string, LiveConnection>();
  const watchers = new Map<string, Set<() => void>>();

  const changed = (name: IdentityName): void => {
    for (const run of watchers.get(identityKey(name)) ?? []) run();
  };

  return {
    find: (name) => live.get(identityKey(name)),
    count: () => live.size,
    add(connection) {
      const older = live.get(identityKey(connection.name));
      live.set(identityKey(connection.name), connection);
      if (older !== undefined) {
        counters.evicted += 1;
        older.end('another connection came with the same identity');
      }
      changed(connection.name);
    },
    remove(connection) {
      const key = identityKey(connection.name);
      if (live.get(key) === connection) live.delete(key);
      changed(connection.name);
    },
    changed,
    watch(name, run) {
      const key = identityKey(name);
      const runs = watchers.get(key) ?? new Set();
      watchers.set(key, runs.add(run));
      return () => {
        runs.delete(run);
        if (runs.size === 0 && watchers.get(key) === runs) watchers.delete(key);
      };
    },
    end(name, reason) {
      const connection = live.get(identityKey(name));
      connection?.end(reason);
      return connection !== undefined;
    },
    endAll(reason) {
      const all = [...live.values()];
      for (const connection of all) connection.end(reason);
      return all.length;
    },
  };
}
