/** Every limit messages meet on their way, with its default. */
import { DEAD_LETTER_LIMITS, type DeadLetterLimits } from './dead-letters.ts';
import { PUMP_LIMITS, type PumpLimits } from './pump.ts';
import { QUEUE_LIMITS, type QueueLimits } from './queue.ts';
import { ROUTER_SETTINGS, type RouterSettings } from './router.ts';

export type MessageSettings = {
  readonly router: RouterSettings;
  readonly queue: QueueLimits;
  readonly pump: PumpLimits;
  readonly deadLetters: DeadLetterLimits;
};

export const MESSAGE_SETTINGS: MessageSettings = {
  router: ROUTER_SETTINGS,
  queue: QUEUE_LIMITS,
  pump: PUMP_LIMITS,
  deadLetters: DEAD_LETTER_LIMITS,
};
