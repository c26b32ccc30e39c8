/** Dead letters, oldest first. */
import type Database from 'better-sqlite3';
import type { DeadLetter, StoredDeadLetter, StoreSnapshot } from '../core/ports.ts';
import { type MessageRow, toMessage } from './delivery-table.ts';

export interface DeadLetterTable {
  add(letter: DeadLetter): void;
  /** null = all. */
  drop(ids: readonly number[] | null): void;
  /** Bodies together at most `bytesMax`, but at least one row. */
  read(afterId: number, limit: number, bytesMax: number): readonly StoredDeadLetter[];
  sum(): StoreSnapshot['deadLetters'];
}

type Row = MessageRow & {
  readonly id: number;
  readonly endpoint: string;
  readonly priority: number;
  readonly enqueued_ms: number;
  readonly dead_ms: number;
  readonly attempts: number;
  readonly reason: string;
};

export function createDeadLetterTable(database: Database.Database): DeadLetterTable {
  const insert = database.prepare(
    `INSERT INTO dead_letter (endpoint, priority, enqueued_ms, dead_ms, attempts, reason, source, sender, properties, system, body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const dropOne = database.prepare('DELETE FROM dead_letter WHERE id = ?');
  const dropAll = database.prepare('DELETE FROM dead_letter');
  const readAfter = database.prepare('SELECT * FROM dead_letter WHERE id > ? ORDER BY id LIMIT ?');
  const readSum = database.prepare(
    'SELECT COUNT(*) AS count, COALESCE(SUM(LENGTH(body)), 0) AS bytes FROM dead_letter',
  );

  return {
    add(letter) {
      const { endpoint, priority, enqueuedAtMs, deadAtMs, attempts, reason, message } = letter;
      const properties = JSON.stringify(message.properties);
      const system = JSON.stringify(message.system);
      const death = [endpoint, priority, enqueuedAtMs, deadAtMs, attempts, reason];
      insert.run(...death, message.source, message.sender, properties, system, message.body);
    },
    drop(ids) {
      if (ids === null) dropAll.run();
      else for (const id of ids) dropOne.run(id);
    },
    read(afterId, limit, bytesMax) {
      const letters: StoredDeadLetter[] = [];
      let bytes = 0;
      for (const each of readAfter.iterate(afterId, limit)) {
        const row = each as Row;
        bytes += row.body.byteLength;
        if (letters.length > 0 && bytes > bytesMax) break;
        letters.push({
          id: row.id,
          endpoint: row.endpoint,
          priority: row.priority,
          enqueuedAtMs: row.enqueued_ms,
          deadAtMs: row.dead_ms,
          attempts: row.attempts,
          reason: row.reason,
          message: toMessage(row, `dead letter ${row.id}`),
        });
      }
      return letters;
    },
    sum: () => readSum.get() as StoreSnapshot['deadLetters'],
  };
}
