/** The SDK's errors and the hub's statuses as faults. */
import { Fault } from '../core/fault.ts';

/**
 * The SDK calls every failure of a first connect "Not authorized"; only CONNACK's own words behind
 * that mean it (spec/iothub.md §1.5).
 */
export function asFault(cause: unknown, what: string): Fault {
  if (cause instanceof Fault) return cause;
  const text = cause instanceof Error && cause.message !== '' ? cause.message : 'no reason given';
  const reason = text.replace(/^.*\(Not authorized\): /s, '');
  if (/Connection refused: (Not authorized|Bad username|Identifier)/i.test(reason)) {
    return new Fault('CREDENTIALS_REFUSED', `the hub refused the module's credentials: ${reason}`, {
      cause,
    });
  }
  const busy = /Connection refused: Server unavailable/i.test(reason);
  return new Fault(busy ? 'UPSTREAM_REFUSED' : 'UPSTREAM_AWAY', `${what}: ${reason}`, { cause });
}

/** Undefined when the status of a twin answer is a good one (spec/iothub.md §3.2). */
export function twinFault(status: number, what: string, words: string): Fault | undefined {
  if (status < 300) return undefined;
  const text = `the hub answered ${status} to ${what}: ${words}`;
  const forGood = status === 400 || status === 413;
  return new Fault(forGood ? 'TWIN_INVALID' : 'UPSTREAM_REFUSED', text);
}
