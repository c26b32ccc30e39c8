/** What a module takes of the store: messages that wait for its inputs, its twin, and what it keeps. */
import type { ModuleName } from '../core/message.ts';
import { utf8Length } from '../core/twin-limits.ts';
import type { Queue } from './queue.ts';
import type { Twins } from './twins.ts';

export interface Storage {
  /** Deliveries that wait. */
  waiting(module: ModuleName): number;
  /** Their messages (messageSize), the twin as JSON, and what it keeps. */
  bytes(module: ModuleName): number;
}

export function createStorage(
  queue: Pick<Queue, 'endpoints' | 'waiting' | 'room'>,
  twins: Pick<Twins, 'read'>,
  kept: (module: ModuleName) => number,
): Storage {
  const inputsOf = (module: ModuleName) =>
    queue.endpoints().filter((id) => id.startsWith(`${module}/`));

  return {
    waiting: (module) => inputsOf(module).reduce((sum, id) => sum + queue.waiting(id), 0),
    bytes(module) {
      const { desired, reported } = twins.read(module);
      const twinBytes = utf8Length(JSON.stringify(desired)) + utf8Length(JSON.stringify(reported));
      return inputsOf(module).reduce(
        (sum, id) => sum + queue.room.of(id).bytes,
        twinBytes + kept(module),
      );
    },
  };
}
