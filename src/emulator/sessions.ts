/**
 * Sessions of clean=false clients: their subscriptions, kept over disconnects and restarts. Without
 * them the Azure SDK goes deaf for twins at its first token renewal (spec/iothub.md §1.7).
 */
import type { IdentityName } from './identity-name.ts';
import type { Subscription } from './mqtt-topics.ts';
import type { State } from './state.ts';

/** What a client is subscribed to, and the QoS it was granted. */
export type Subscriptions = Map<Subscription, 0 | 1>;

export interface Sessions {
  /** The subscriptions of the stored session; undefined when there is none. */
  resume(name: IdentityName): Subscriptions | undefined;
  save(name: IdentityName, subscriptions: Subscriptions): void;
  forget(name: IdentityName): void;
  forgetAll(): void;
}

export function createSessions(state: State): Sessions {
  const select = state
    .prepare('SELECT subscriptions FROM session WHERE device = ? AND module = ?')
    .pluck();
  const upsert = state.prepare('INSERT OR REPLACE INTO session VALUES (?, ?, ?)');
  const remove = state.prepare('DELETE FROM session WHERE device = ? AND module = ?');
  const removeAll = state.prepare('DELETE FROM session');
  return {
    resume(name) {
      const text = select.get(name.device, name.module) as string | undefined;
      return text === undefined ? undefined : readSubscriptions(text);
    },
    save(name, subscriptions) {
      upsert.run(name.device, name.module, JSON.stringify([...subscriptions]));
    },
    forget(name) {
      remove.run(name.device, name.module);
    },
    forgetAll() {
      removeAll.run();
    },
  };
}

/** Older emulators kept the names alone. */
function readSubscriptions(text: string): Subscriptions {
  const entries = JSON.parse(text) as (Subscription | [Subscription, 0 | 1])[];
  return new Map(entries.map((entry) => (typeof entry === 'string' ? [entry, 1] : entry)));
}
