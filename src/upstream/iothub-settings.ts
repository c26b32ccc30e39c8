/** The limits of a connection to IoT Hub, each with its default and the reason for it. */
import type { RetryRange } from '../core/retry.ts';

export type IotHubSettings = {
  /** Between attempts to connect. */
  readonly retry: RetryRange;
  /** The same after the hub refused our credentials: a person has to act first, usually. */
  readonly refusedRetry: RetryRange;
  /** A connection that lived so long was a good one: the next attempt comes soon again. */
  readonly steadyMs: number;
  /** TCP, TLS, CONNECT and subscriptions together. */
  readonly connectMs: number;
  /** A message without acknowledgement for so long ends the connection. */
  readonly sendMs: number;
  /** The same for a twin request; the SDK itself would wait for ever (spec/iothub.md §3.2). */
  readonly twinMs: number;
  /** A connection lost so soon after a message was sent may have been cut because of it. */
  readonly blameMs: number;
  /** For a connection's orderly end, before it is cut. */
  readonly closeMs: number;
  /** How long a connection's token is valid; the connection is replaced at 80 % of it. */
  readonly tokenMs: number;
  /** Messages on their way at once, per identity: what may be doubled when the network breaks. */
  readonly windowMax: number;
  /** Method calls a module is working on at once; more are answered 429. */
  readonly methodsMax: number;
};

export const defaultIotHubSettings: IotHubSettings = {
  retry: { firstMs: 1_000, mostMs: 60_000 },
  refusedRetry: { firstMs: 5_000, mostMs: 600_000 },
  steadyMs: 60_000,
  connectMs: 30_000,
  sendMs: 30_000,
  blameMs: 5_000,
  twinMs: 20_000,
  closeMs: 5_000,
  tokenMs: 24 * 3_600_000,
  windowMax: 200,
  methodsMax: 32,
};
