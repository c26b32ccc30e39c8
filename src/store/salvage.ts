/** Copies what can still be read of a damaged database into a fresh one, row by row, in bounded time. */
import Database from 'better-sqlite3';
import { SEQ_MAX } from './delivery-table.ts';

/** Rows saved by table, and where it stopped early. */
export type Salvaged = {
  readonly rows: Readonly<Record<string, number>>;
  readonly stopped?: string;
};

type Source = {
  readonly table: string;
  readonly order: readonly string[];
  /** Rubbish can look like a row: what our own reader would choke on is left behind. */
  readonly sound: string;
};

const seqIsSound = `seq BETWEEN 1 AND ${SEQ_MAX}`;
const isObject = (column: string): string =>
  `json_valid(${column}) AND json_type(${column}) = 'object'`;

/** What a device can least do without comes first: time and space may run out. */
const sources: readonly Source[] = [
  { table: 'document', order: ['rowid'], sound: 'json_valid(value)' },
  { table: 'statistics', order: ['rowid'], sound: isObject('value') },
  {
    table: 'twin',
    order: ['rowid'],
    sound: `${isObject('desired')} AND ${isObject('reported')} AND (pending IS NULL OR ${isObject('pending')})`,
  },
  // Sums follow by themselves, with each row.
  { table: 'kept', order: ['module', 'key'], sound: '1' },
  { table: 'delivery', order: ['endpoint', 'priority', 'seq'], sound: seqIsSound },
  {
    table: 'message',
    order: ['seq'],
    sound: `${seqIsSound} AND ${isObject('properties')} AND ${isObject('system')}`,
  },
  {
    table: 'dead_letter',
    order: ['id'],
    sound: `id BETWEEN 1 AND ${SEQ_MAX} AND ${isObject('properties')} AND ${isObject('system')}`,
  },
];

const ROWS_PER_COMMIT = 1_000;

/** Never throws for what is wrong with the damaged file; throws only when `into` takes no row at all. */
export function salvage(
  damagedFile: string,
  into: Database.Database,
  timeLeft: () => boolean,
): Salvaged {
  const rows: Record<string, number> = {};
  let stopped: string | undefined;
  let damaged: Database.Database;
  try {
    damaged = new Database(damagedFile, { readonly: true, fileMustExist: true });
    damaged.pragma('cell_size_check = ON');
  } catch (cause) {
    return { rows, stopped: String((cause as { code?: unknown }).code) };
  }
  try {
    keepSequence(damaged, into);
    for (const source of sources) rows[source.table] = copy(damaged, into, source, timeLeft);
    if (!timeLeft()) stopped = 'it took too long';
  } catch (cause) {
    stopped = String((cause as { code?: unknown }).code ?? cause);
  } finally {
    damaged.close();
  }
  // A delivery without its message has nothing to deliver, and the other way round.
  into.exec('DELETE FROM delivery WHERE seq NOT IN (SELECT seq FROM message)');
  into.exec('DELETE FROM message WHERE seq NOT IN (SELECT seq FROM delivery)');
  // Those of the first version had no size.
  into.exec(
    `UPDATE delivery SET size = COALESCE((
       SELECT LENGTH(body) + LENGTH(properties) + LENGTH(system) FROM message WHERE message.seq = delivery.seq
     ), 0) WHERE size = 0`,
  );
  return stopped === undefined ? { rows } : { rows, stopped };
}

/** Numbers of messages never go back, even when the messages are lost. */
function keepSequence(damaged: Database.Database, into: Database.Database): void {
  try {
    const seq = Number(
      damaged.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'message'").pluck().get() ?? 0,
    );
    if (seq >= 1 && seq <= SEQ_MAX) {
      into.prepare("INSERT INTO sqlite_sequence (name, seq) VALUES ('message', ?)").run(seq);
    }
  } catch {
    // It is gone: the highest message that is left decides.
  }
}

/** From the front to the first page that is gone, then from the back to the last one. */
function copy(
  damaged: Database.Database,
  into: Database.Database,
  source: Source,
  timeLeft: () => boolean,
): number {
  let saved = 0;
  for (const direction of ['ASC', 'DESC']) {
    const pass = createPass(damaged, into, source, direction);
    let more: 'yes' | 'end' | 'gone' = 'yes';
    while (more === 'yes' && timeLeft()) {
      const chunk = pass?.next();
      saved += chunk?.saved ?? 0;
      more = chunk?.more ?? 'gone';
    }
    pass?.end();
    // The whole table was read: nothing is left for the other direction.
    if (more === 'end') break;
  }
  return saved;
}

type Pass = {
  next(): { readonly saved: number; readonly more: 'yes' | 'end' | 'gone' };
  end(): void;
};

/** One walk over a table. Undefined when it has no beginning. Throws only what `into` has to say. */
function createPass(
  damaged: Database.Database,
  into: Database.Database,
  { table, order, sound }: Source,
  direction: string,
): Pass | undefined {
  const columns = columnsOfBoth(damaged, into, table);
  const insert = into.prepare(
    `INSERT OR IGNORE INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  let rows: IterableIterator<unknown>;
  try {
    const by = order.map((column) => `${column} ${direction}`).join(', ');
    rows = damaged
      .prepare(`SELECT ${columns.join(', ')} FROM ${table} WHERE ${sound} ORDER BY ${by}`)
      .raw()
      .iterate();
  } catch {
    return undefined;
  }
  const insertRows = into.transaction((chunk: readonly unknown[][]) =>
    chunk.reduce((saved, row) => saved + insertRow(insert, row), 0),
  );
  return {
    next() {
      const chunk: unknown[][] = [];
      let more: 'yes' | 'end' | 'gone' = 'yes';
      while (more === 'yes' && chunk.length < ROWS_PER_COMMIT) {
        try {
          const { done, value } = rows.next() as IteratorResult<unknown[], undefined>;
          if (done === true) more = 'end';
          else chunk.push(value);
        } catch {
          more = 'gone';
        }
      }
      return { saved: insertRows(chunk), more };
    },
    end() {
      rows.return?.();
    },
  };
}

/** A file of an older version lacks some of ours: those get their defaults. */
function columnsOfBoth(
  damaged: Database.Database,
  into: Database.Database,
  table: string,
): readonly string[] {
  const columnsOf = (database: Database.Database): readonly string[] =>
    (database.pragma(`table_info(${table})`) as { name: string }[]).map(({ name }) => name);
  const ours = columnsOf(into);
  try {
    const theirs = new Set(columnsOf(damaged));
    const both = ours.filter((name) => theirs.has(name));
    return both.length === 0 ? ours : both;
  } catch {
    return ours;
  }
}

/** A row whose values no longer have their types is left behind. */
function insertRow(insert: Database.Statement, row: readonly unknown[]): number {
  try {
    return insert.run(...row).changes;
  } catch (cause) {
    if (String((cause as { code?: unknown }).code).startsWith('SQLITE_CONSTRAINT')) return 0;
    throw cause;
  }
}
