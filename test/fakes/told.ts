/** What a sender is told, as a promise. */
import type { Message } from '../../src/core/message.ts';
import type { DeliveryRow } from '../../src/core/ports.ts';
import type { Settled } from '../../src/supervisor/delivery.ts';
import type { Queue } from '../../src/supervisor/queue.ts';

/** Resolves or rejects as `settled` is told. */
export function told(run: (settled: Settled) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    run((fault) => {
      if (fault === undefined) resolve();
      else reject(fault);
    });
  });
}

export function accept(
  queue: Queue,
  message: Message,
  rows: readonly DeliveryRow[],
): Promise<void> {
  return told((settled) => queue.accept(message, rows, settled));
}
