/** One identity's messages on their way: in order, no more than a window of them at once, until the world fails. */
import { Fault, isOfTheWorld } from '../core/fault.ts';
import type { Message } from '../core/message.ts';
import type { SendOutcome } from '../core/ports.ts';

/** Sends one message and tells, once, what became of it, or throws a Fault of its own. */
export type SendOne = (message: Message, told: (outcome: SendOutcome) => void) => void;

/**
 * One outcome per message. After the first fault of the world whatever waits is not tried and shares
 * that fault; a fault of one message's own is its own. Calls follow each other without a pause: the
 * next one's messages enter the window as soon as there is room in it.
 */
export type SendInOrder = (messages: readonly Message[]) => Promise<readonly SendOutcome[]>;

type Batch = PromiseWithResolvers<readonly SendOutcome[]> & {
  readonly messages: readonly Message[];
  readonly outcomes: SendOutcome[];
  next: number;
  open: number;
};

export function createSendWindow(windowMax: number, sendOne: SendOne): SendInOrder {
  /** Those with messages not sent yet. */
  let waiting: Batch[] = [];
  let underway = 0;
  let full = false;
  let filling = false;

  /**
   * Once the window is full it is filled again when half of it is free: one write of many messages costs
   * both ends far less than as many writes. An outcome may be told at once: then the loop that is running
   * goes on, not a second one in it.
   */
  function fill(): void {
    if (full && underway > windowMax / 2) return;
    if (filling) return;
    filling = true;
    try {
      for (
        let batch = waiting[0];
        batch !== undefined && underway < windowMax;
        batch = waiting[0]
      ) {
        const index = batch.next++;
        if (batch.next === batch.messages.length) waiting.shift();
        begin(batch, index);
      }
      full = underway >= windowMax;
    } finally {
      filling = false;
    }
  }

  function begin(batch: Batch, index: number): void {
    underway++;
    const told = (outcome: SendOutcome): void => {
      underway--;
      settle(batch, index, outcome);
      if (outcome !== undefined && isOfTheWorld(outcome)) dropWaiting(untried(outcome));
      fill();
    };
    try {
      sendOne(batch.messages[index] as Message, told);
    } catch (cause) {
      if (cause instanceof Fault) told(cause);
      else batch.reject(cause);
    }
  }

  function settle(batch: Batch, index: number, outcome: SendOutcome): void {
    batch.outcomes[index] = outcome;
    if (--batch.open === 0) batch.resolve(batch.outcomes);
  }

  function dropWaiting(fault: Fault): void {
    const dropped = waiting;
    waiting = [];
    for (const batch of dropped) {
      while (batch.next < batch.messages.length) settle(batch, batch.next++, fault);
    }
  }

  return (messages) => {
    const batch: Batch = {
      ...Promise.withResolvers<readonly SendOutcome[]>(),
      messages,
      outcomes: messages.map((): SendOutcome => undefined),
      next: 0,
      open: messages.length,
    };
    if (messages.length === 0) batch.resolve([]);
    else waiting.push(batch);
    fill();
    return batch.promise;
  };
}

/** What was not sent is not to blame for a cut. */
function untried(fault: Fault): Fault {
  if (fault.code !== 'UPSTREAM_CUT') return fault;
  return new Fault('UPSTREAM_AWAY', fault.message, { cause: fault });
}
