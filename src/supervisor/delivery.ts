/** A message accepted in this process, and its way to each of its endpoints. */
import type { Fault } from '../core/fault.ts';
import type { EndpointId, Message } from '../core/message.ts';

/** Called once: undefined = durable, or delivered everywhere; otherwise why it is not. */
export type Settled = (fault: Fault | undefined) => void;

/** Until it is durable or delivered everywhere. */
export type Accepted = {
  readonly seq: number;
  readonly enqueuedAtMs: number;
  readonly message: Message;
  readonly size: number;
  readonly deliveries: Delivery[];
  /** Deliveries not over. */
  open: number;
  stored: 'no' | 'writing' | 'yes';
  /** Monotonic ms: when its receivers have had their chance, and it is to be written. */
  dueAtMs: number;
  readonly settled: Settled;
};

/** One message for one endpoint. */
export type Delivery = {
  readonly endpoint: EndpointId;
  readonly priority: number;
  readonly expiresAtMs: number;
  readonly seq: number;
  readonly enqueuedAtMs: number;
  readonly message: Message;
  readonly size: number;
  /** How often the endpoint failed on it. */
  attempts: number;
  /** Its endpoint ended by itself with this one open among others: it is delivered alone, to know. */
  suspect: boolean;
  /** How often its endpoint ended with this one alone. */
  crashes: number;
  /** Undefined for one that was read from the store. */
  readonly accepted: Accepted | undefined;
  /** It does not fit into memory: it will be read from the store, which it has to reach first. */
  diverted: boolean;
  /** Delivered, expired or a dead letter. */
  over: boolean;
};
