/** Trouble made on purpose, for people who test how their device takes it. Off at every start. */
import { Fault } from '../core/fault.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { Connections } from './connections.ts';
import type { Sessions } from './sessions.ts';

/** What goes wrong just now. */
export type FaultState = {
  /** Chance from 0 to 1 that a PUBACK for a stored message is never sent. */
  readonly dropAcks: number;
  /** How much later everything reaches MQTT clients, CONNACK included. */
  readonly delayMs: number;
  /** The hub plays overloaded: CONNACK 3, REST and twin requests 429, PUBACKs late. */
  readonly throttle: boolean;
  /** The day's messages are used up: CONNACK 3, REST 403 (403002), who sends is cut off. */
  readonly quota: boolean;
  /** Sessions are not kept: whoever comes back finds `session present` 0 and no subscriptions. */
  readonly forgetSessions: boolean;
};

/** `disconnect` happens once: a device, `device/module`, or `*` for everybody. */
export type FaultChange = Partial<FaultState> & { readonly disconnect?: string };

export interface Faults {
  state(): FaultState;
  /** What is not named stays. Returns how many connections were cut. */
  change(change: FaultChange): number;
  clear(): void;
  /** Shall this PUBACK be kept back? */
  dropsAck(): boolean;
}

const noFaults: FaultState = {
  dropAcks: 0,
  delayMs: 0,
  throttle: false,
  quota: false,
  forgetSessions: false,
};

const DELAY_MS_MAX = 600_000;

/** `chance` gives numbers from 0 to below 1. */
export function createFaults(
  parts: { readonly connections: Connections; readonly sessions: Sessions },
  chance: () => number,
): Faults {
  let state = noFaults;
  return {
    state: () => state,
    change({ disconnect, ...change }) {
      state = { ...state, ...change };
      if (change.forgetSessions === true) parts.sessions.forgetAll();
      if (disconnect === undefined) return 0;
      const reason = 'it was cut off on purpose';
      if (disconnect === '*') return parts.connections.endAll(reason);
      const [device = '', module = ''] = disconnect.split('/');
      return parts.connections.end({ device, module }, reason) ? 1 : 0;
    },
    clear() {
      state = noFaults;
    },
    dropsAck: () => state.dropAcks > 0 && chance() < state.dropAcks,
  };
}

/** Reads a change from JSON. Throws CONFIG_INVALID with every problem. */
export function parseFaultChange(value: Json): FaultChange {
  const given: JsonObject = isJsonObject(value) ? value : {};
  const problems: string[] = isJsonObject(value) ? [] : ['faults must be a JSON object'];
  const { dropAcks, delayMs, disconnect, ...flags } = given;
  if (!(dropAcks === undefined || isBetween(dropAcks, 0, 1))) {
    problems.push('dropAcks must be a number from 0 to 1');
  }
  if (!(delayMs === undefined || isBetween(delayMs, 0, DELAY_MS_MAX))) {
    problems.push(`delayMs must be a number from 0 to ${DELAY_MS_MAX}`);
  }
  if (disconnect !== undefined && typeof disconnect !== 'string') {
    problems.push('disconnect must be a device, device/module or *');
  }
  for (const [key, flag] of Object.entries(flags)) {
    if (key !== 'throttle' && key !== 'quota' && key !== 'forgetSessions') {
      problems.push(`there is no fault ${key}`);
    } else if (typeof flag !== 'boolean') problems.push(`${key} must be true or false`);
  }
  if (problems.length > 0) throw new Fault('CONFIG_INVALID', problems.join('; '));
  return given as FaultChange;
}

function isBetween(value: Json, min: number, max: number): boolean {
  return typeof value === 'number' && value >= min && value <= max;
}
