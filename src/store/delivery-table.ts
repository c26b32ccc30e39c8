/** Messages and their deliveries: one body row per message, one small row per endpoint. */
import type Database from 'better-sqlite3';
import { Fault } from '../core/fault.ts';
import { type Message, messageSize, type Properties } from '../core/message.ts';
import type { StoredDelivery, StoreSnapshot, StoreWrite } from '../core/ports.ts';
import { parseStored } from './stored-json.ts';

type Append = Extract<StoreWrite, { kind: 'append' }>;

export interface DeliveryTable {
  append(write: Append): void;
  remove(endpoint: string, priority: number, seq: number): void;
  /** In order; bodies together at most `bytesMax`, but at least one row. */
  read(
    endpoint: string,
    priority: number,
    afterSeq: number,
    limit: number,
    bytesMax: number,
  ): readonly StoredDelivery[];
  lanes(): StoreSnapshot['lanes'];
  lastSeq(): number;
}

/** Far beyond any device's life, well below where doubles lose count: more is damage. */
export const SEQ_MAX = 2 ** 52;

/** A message's columns. */
export type MessageRow = {
  readonly source: string;
  readonly sender: string;
  readonly properties: string;
  readonly system: string;
  readonly body: Uint8Array;
};

type Row = MessageRow & {
  readonly seq: number;
  readonly enqueued_ms: number;
  readonly expires_ms: number;
};

export function createDeliveryTable(database: Database.Database): DeliveryTable {
  const insertMessage = database.prepare(
    'INSERT INTO message (seq, enqueued_ms, source, sender, properties, system, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const insertDelivery = database.prepare(
    'INSERT INTO delivery (endpoint, priority, seq, expires_ms, size) VALUES (?, ?, ?, ?, ?)',
  );
  const deleteDelivery = database.prepare(
    'DELETE FROM delivery WHERE endpoint = ? AND priority = ? AND seq = ?',
  );
  const deleteMessage = database.prepare(
    'DELETE FROM message WHERE seq = @seq AND NOT EXISTS (SELECT 1 FROM delivery WHERE seq = @seq)',
  );
  const readLane = database.prepare(
    `SELECT message.*, delivery.expires_ms FROM delivery JOIN message USING (seq)
     WHERE delivery.endpoint = ? AND delivery.priority = ? AND delivery.seq > ?
     ORDER BY delivery.seq LIMIT ?`,
  );
  // Over the primary key alone, no body is touched: 0.1 s for a million rows on x64, so no counters are kept.
  const countLanes = database.prepare(
    'SELECT endpoint, priority, COUNT(*) AS count, SUM(size) AS bytes FROM delivery GROUP BY endpoint, priority',
  );
  const readSequence = database
    .prepare("SELECT seq FROM sqlite_sequence WHERE name = 'message'")
    .pluck();
  const readNewest = database.prepare('SELECT MAX(seq) FROM message').pluck();

  return {
    append({ seq, enqueuedAtMs, message, deliveries }) {
      const { source, sender, body } = message;
      const properties = JSON.stringify(message.properties);
      const system = JSON.stringify(message.system);
      insertMessage.run(seq, enqueuedAtMs, source, sender, properties, system, body);
      const size = messageSize(message);
      for (const row of deliveries) {
        insertDelivery.run(row.endpoint, row.priority, seq, row.expiresAtMs, size);
      }
    },
    remove(endpoint, priority, seq) {
      if (deleteDelivery.run(endpoint, priority, seq).changes > 0) deleteMessage.run({ seq });
    },
    read(endpoint, priority, afterSeq, limit, bytesMax) {
      const rows: StoredDelivery[] = [];
      let bytes = 0;
      for (const row of readLane.iterate(endpoint, priority, afterSeq, limit)) {
        const delivery = toDelivery(endpoint, priority, row as Row);
        bytes += delivery.message.body.byteLength;
        if (rows.length > 0 && bytes > bytesMax) break;
        rows.push(delivery);
      }
      return rows;
    },
    lanes: () => countLanes.all() as StoreSnapshot['lanes'],
    lastSeq() {
      const seq = Math.max(...[readSequence, readNewest].map((read) => Number(read.get() ?? 0)));
      if (seq <= SEQ_MAX) return seq;
      throw new Fault('STORE_DAMAGED', `the last message's number is ${seq}`);
    },
  };
}

function toDelivery(endpoint: string, priority: number, row: Row): StoredDelivery {
  return {
    endpoint,
    priority,
    seq: row.seq,
    enqueuedAtMs: row.enqueued_ms,
    expiresAtMs: row.expires_ms,
    message: toMessage(row, `message ${row.seq}`),
  };
}

/** Throws STORE_DAMAGED, naming `what`. */
export function toMessage(row: MessageRow, what: string): Message {
  return {
    source: row.source,
    sender: row.sender,
    body: row.body,
    properties: parseStored<Properties>(row.properties, what),
    system: parseStored<Properties>(row.system, what),
  };
}
