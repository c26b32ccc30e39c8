/**
 * Requests of one module that wait for an answer: all that it can make the supervisor keep beside its
 * messages, so it has limits.
 */
import { Fault } from '../core/fault.ts';

export type OpenRequests = {
  /**
   * One more, or why not: TOO_MANY_REQUESTS.
   * @param callSize characters a call (anything but a send) keeps; undefined = a send, whose message has limits of its own.
   */
  begin(callSize: number | undefined): Fault | undefined;
  /** The same as at its begin; only for one that was not refused. */
  end(callSize: number | undefined): void;
};

/** Twin reads, reports and method calls; some of them are looked at again and again. */
const CALLS_MAX = 1_000;
const CALLS_SIZE_MAX = 8 * 1_048_576;

/** @param most of all kinds together. */
export function createOpenRequests(module: string, most: number): OpenRequests {
  let count = 0;
  let calls = 0;
  let size = 0;

  function full(what: string, allowed: number): Fault {
    const text = `${allowed} ${what} of module ${module} wait for an answer and that is its limit: it must wait for some before it makes more`;
    return new Fault('TOO_MANY_REQUESTS', text);
  }

  return {
    begin(callSize) {
      if (count >= most) return full('requests', most);
      if (callSize !== undefined) {
        if (calls >= CALLS_MAX) return full('calls', CALLS_MAX);
        if (size + callSize > CALLS_SIZE_MAX) return full('characters in calls', CALLS_SIZE_MAX);
        calls++;
        size += callSize;
      }
      count++;
      return undefined;
    },
    end(callSize) {
      count--;
      if (callSize === undefined) return;
      calls--;
      size -= callSize;
    },
  };
}
