/** The store's operations as plain, synchronous SQL: what the worker does, testable without it. */
import type Database from 'better-sqlite3';
import type { Json, JsonObject } from '../core/json.ts';
import type { Properties } from '../core/message.ts';
import type {
  StatisticsRow,
  StoredDelivery,
  StoreSnapshot,
  StoreWrite,
  TwinRow,
} from '../core/ports.ts';

export interface Tables {
  load(): StoreSnapshot;
  /** One transaction. */
  commit(writes: readonly StoreWrite[]): void;
  read(
    endpoint: string,
    priority: number,
    afterSeq: number,
    limit: number,
  ): readonly StoredDelivery[];
}

/** One read gives at most so many bytes of bodies, but at least one row. */
const READ_BYTES_MAX = 4_194_304;
/** Pages given back to the file system per commit that removed something. */
const VACUUM_PAGES = 64;

type MessageRow = {
  seq: number;
  enqueued_ms: number;
  source: string;
  sender: string;
  properties: string;
  system: string;
  body: Uint8Array;
  expires_ms: number;
};

export function createTables(database: Database.Database): Tables {
  const insertMessage = database.prepare(
    'INSERT INTO message (seq, enqueued_ms, source, sender, properties, system, body) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const insertDelivery = database.prepare(
    'INSERT INTO delivery (endpoint, priority, seq, expires_ms) VALUES (?, ?, ?, ?)',
  );
  const deleteDelivery = database.prepare(
    'DELETE FROM delivery WHERE endpoint = ? AND priority = ? AND seq = ?',
  );
  const deleteMessage = database.prepare(
    'DELETE FROM message WHERE seq = @seq AND NOT EXISTS (SELECT 1 FROM delivery WHERE seq = @seq)',
  );
  const putTwin = database.prepare(
    'INSERT OR REPLACE INTO twin (module, desired, reported, pending, synced_ms) VALUES (?, ?, ?, ?, ?)',
  );
  const deleteTwin = database.prepare('DELETE FROM twin WHERE module = ?');
  const putStatistics = database.prepare(
    'INSERT OR REPLACE INTO statistics (module, value) VALUES (?, ?)',
  );
  const deleteStatistics = database.prepare('DELETE FROM statistics WHERE module = ?');
  const putDocument = database.prepare(
    'INSERT OR REPLACE INTO document (name, value) VALUES (?, ?)',
  );
  const deleteDocument = database.prepare('DELETE FROM document WHERE name = ?');
  const readLane = database.prepare(
    `SELECT message.*, delivery.expires_ms FROM delivery JOIN message USING (seq)
     WHERE delivery.endpoint = ? AND delivery.priority = ? AND delivery.seq > ? ORDER BY delivery.seq LIMIT ?`,
  );

  function apply(write: StoreWrite): void {
    switch (write.kind) {
      case 'append': {
        const { seq, enqueuedAtMs, message, deliveries } = write;
        const { source, sender, properties, system, body } = message;
        const bags = [JSON.stringify(properties), JSON.stringify(system)];
        insertMessage.run(seq, enqueuedAtMs, source, sender, ...bags, body);
        for (const row of deliveries) {
          insertDelivery.run(row.endpoint, row.priority, seq, row.expiresAtMs);
        }
        break;
      }
      case 'remove':
        deleteDelivery.run(write.endpoint, write.priority, write.seq);
        deleteMessage.run({ seq: write.seq });
        break;
      case 'twin': {
        const { module, twin } = write;
        if (twin === null) deleteTwin.run(module);
        else {
          const pending = twin.pending === null ? null : JSON.stringify(twin.pending);
          const sections = [JSON.stringify(twin.desired), JSON.stringify(twin.reported)];
          putTwin.run(module, ...sections, pending, twin.syncedAtMs);
        }
        break;
      }
      case 'statistics':
        if (write.statistics === null) deleteStatistics.run(write.module);
        else putStatistics.run(write.module, JSON.stringify(write.statistics));
        break;
      case 'document':
        if (write.value === null) deleteDocument.run(write.name);
        else putDocument.run(write.name, JSON.stringify(write.value));
        break;
    }
  }

  const commitAll = database.transaction((writes: readonly StoreWrite[]) => {
    for (const write of writes) apply(write);
  });

  return {
    load() {
      const last = database
        .prepare("SELECT seq FROM sqlite_sequence WHERE name = 'message'")
        .get() as { seq: number } | undefined;
      // Over the primary key alone: no body is touched.
      const lanes = database
        .prepare(
          'SELECT endpoint, priority, COUNT(*) AS count FROM delivery GROUP BY endpoint, priority',
        )
        .all() as StoreSnapshot['lanes'];
      return {
        lastSeq: last?.seq ?? 0,
        lanes,
        twins: Object.fromEntries(all(database, 'twin').map((row) => [row['module'], toTwin(row)])),
        statistics: Object.fromEntries(
          all(database, 'statistics').map((row) => [
            row['module'],
            parse<StatisticsRow>(row['value']),
          ]),
        ),
        documents: Object.fromEntries(
          all(database, 'document').map((row) => [row['name'], parse<Json>(row['value'])]),
        ),
      };
    },
    commit(writes) {
      commitAll.immediate(writes);
      if (writes.some((write) => write.kind === 'remove')) {
        database.pragma(`incremental_vacuum(${VACUUM_PAGES})`);
      }
    },
    read(endpoint, priority, afterSeq, limit) {
      const rows: StoredDelivery[] = [];
      let bytes = 0;
      for (const row of readLane.iterate(endpoint, priority, afterSeq, limit)) {
        const stored = toDelivery(endpoint, priority, row as MessageRow);
        bytes += stored.message.body.byteLength;
        if (rows.length > 0 && bytes > READ_BYTES_MAX) break;
        rows.push(stored);
      }
      return rows;
    },
  };
}

type Row = Readonly<Record<string, string | number | null>>;

function all(database: Database.Database, table: string): readonly Row[] {
  return database.prepare(`SELECT * FROM ${table}`).all() as Row[];
}

function parse<T>(text: unknown): T {
  return JSON.parse(String(text)) as T;
}

function toTwin(row: Row): TwinRow {
  return {
    desired: parse<JsonObject>(row['desired']),
    reported: parse<JsonObject>(row['reported']),
    pending: row['pending'] === null ? null : parse<JsonObject>(row['pending']),
    syncedAtMs: row['synced_ms'] as number | null,
  };
}

function toDelivery(endpoint: string, priority: number, row: MessageRow): StoredDelivery {
  return {
    endpoint,
    priority,
    seq: row.seq,
    enqueuedAtMs: row.enqueued_ms,
    expiresAtMs: row.expires_ms,
    message: {
      source: row.source,
      sender: row.sender,
      body: row.body,
      properties: parse<Properties>(row.properties),
      system: parse<Properties>(row.system),
    },
  };
}
