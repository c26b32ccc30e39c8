/** Sends messages in order, some on their way at once, until the world fails. */
import { Fault, isOfTheWorld } from '../core/fault.ts';
import type { Message } from '../core/message.ts';
import type { SendOutcome } from '../core/ports.ts';

/**
 * One outcome per message. After the first fault of the world the rest is not tried and shares that
 * fault; a fault of one message's own is its own. `send` rejects with Faults only.
 */
export async function sendInOrder(
  messages: readonly Message[],
  windowMax: number,
  send: (message: Message) => Promise<void>,
): Promise<readonly SendOutcome[]> {
  const outcomes = messages.map((): SendOutcome => undefined);
  let away: Fault | undefined;
  let next = 0;

  /** Takes the next message when its last one is done; the lanes start in order, and so does all they send. */
  async function lane(): Promise<void> {
    while (next < messages.length) {
      const index = next++;
      if (away !== undefined) {
        outcomes[index] = away;
        continue;
      }
      try {
        await send(messages[index] as Message);
      } catch (cause) {
        if (!(cause instanceof Fault)) throw cause;
        outcomes[index] = cause;
        if (isOfTheWorld(cause)) away ??= untried(cause);
      }
    }
  }

  await Promise.all(Array.from({ length: Math.min(windowMax, messages.length) }, lane));
  return outcomes;
}

/** What was not sent is not to blame for a cut. */
function untried(fault: Fault): Fault {
  if (fault.code !== 'UPSTREAM_CUT') return fault;
  return new Fault('UPSTREAM_AWAY', fault.message, { cause: fault });
}
