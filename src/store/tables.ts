/** The store's operations as plain, synchronous SQL, over all tables. */
import type Database from 'better-sqlite3';
import type { Json } from '../core/json.ts';
import type { StatisticsRow, StoreSnapshot, StoreWrite } from '../core/ports.ts';
import { createDeadLetterTable, type DeadLetterTable } from './dead-letter-table.ts';
import { createDeliveryTable, type DeliveryTable } from './delivery-table.ts';
import { createJsonTable } from './json-table.ts';
import { createKeptTable, type KeptTable } from './kept-table.ts';
import { createTwinTable } from './twin-table.ts';

export interface Tables {
  load(): StoreSnapshot;
  /** One transaction. */
  commit(writes: Iterable<StoreWrite>): void;
  readonly read: DeliveryTable['read'];
  readonly readDeadLetters: DeadLetterTable['read'];
  readonly kept: Pick<KeptTable, 'get' | 'list' | 'sum' | 'keepers'>;
}

export function createTables(database: Database.Database): Tables {
  const deliveries = createDeliveryTable(database);
  const deadLetters = createDeadLetterTable(database);
  const twins = createTwinTable(database);
  const statistics = createJsonTable<StatisticsRow>(database, 'statistics', 'module');
  const kept = createKeptTable(database);
  const documents = createJsonTable<Json>(database, 'document', 'name');

  function apply(write: StoreWrite): void {
    switch (write.kind) {
      case 'append':
        return deliveries.append(write);
      case 'remove':
        return deliveries.remove(write.endpoint, write.priority, write.seq);
      case 'deadLetter':
        deliveries.remove(write.endpoint, write.priority, write.seq);
        return deadLetters.add(write);
      case 'dropDeadLetters':
        return deadLetters.drop(write.ids);
      case 'twin':
        return twins.put(write.module, write.twin);
      case 'statistics':
        return statistics.put(write.module, write.statistics);
      case 'document':
        return documents.put(write.name, write.value);
      case 'keep':
        return kept.change(write.module, write.changes);
      case 'forgetKept':
        return kept.forget(write.module);
    }
  }

  const commit = database.transaction((writes: Iterable<StoreWrite>) => {
    for (const write of writes) apply(write);
  });

  return {
    load: () => ({
      lastSeq: deliveries.lastSeq(),
      lanes: deliveries.lanes(),
      deadLetters: deadLetters.sum(),
      twins: twins.all(),
      statistics: statistics.all(),
      documents: documents.all(),
    }),
    commit: (writes) => commit.immediate(writes),
    read: deliveries.read,
    readDeadLetters: deadLetters.read,
    kept,
  };
}
