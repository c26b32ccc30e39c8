/** Answers a query over twins, page by page (spec/iothub.md §5.5). Pure. */
import { createHash } from 'node:crypto';
import type { Json, JsonObject } from '../core/json.ts';
import { HubError } from './hub-error.ts';
import type { QueryValue } from './query-expression.ts';
import { type AggregateName, parseQuery, type Query, type QueryColumn } from './query-parser.ts';

/** A twin, and its place in the order of all. */
export type QueryRow = { readonly key: string; readonly twin: JsonObject };

export type QueryPage = {
  readonly items: readonly Json[];
  readonly itemType: 'twin' | 'raw';
  /** undefined = this was the last page. */
  readonly continuation: string | undefined;
};

/**
 * `rows` gives the twins of a collection in the order of their keys. What is made or deleted between two
 * pages moves nothing: a page goes on after the key the one before ended with. Throws ArgumentInvalid.
 */
export function answerQuery(
  text: string,
  page: { readonly size: number; readonly continuation: string | undefined },
  rows: (from: Query['from']) => Iterable<QueryRow>,
): QueryPage {
  const query = parseQuery(text);
  const digest = createHash('sha256').update(text).digest('base64url').slice(0, 12);
  const start = readContinuation(page.continuation, digest);
  const left = (query.top ?? Number.POSITIVE_INFINITY) - start.served;
  const size = Math.min(page.size, left);
  const found: { readonly key: string; readonly item: Json }[] = [];
  for (const each of queryResults(query, rows(query.from))) {
    if (each.key <= start.after) continue;
    found.push(each);
    // One more than asked for tells whether there is more.
    if (found.length > size) break;
  }
  const shown = found.slice(0, size);
  const served = start.served + shown.length;
  const more = found.length > size && size < left;
  const last = shown.at(-1)?.key ?? start.after;
  return {
    items: shown.map(({ item }) => item),
    itemType: query.columns === undefined ? 'twin' : 'raw',
    continuation: more ? writeContinuation(digest, served, last) : undefined,
  };
}

/** What a query finds, all of it. */
export function* queryResults(
  query: Query,
  rows: Iterable<QueryRow>,
): Iterable<{ readonly key: string; readonly item: Json }> {
  const { columns, groupBy, where } = query;
  const chosen = filter(rows, where);
  const aggregated = columns?.some(({ aggregate }) => aggregate !== undefined) === true;
  if (columns !== undefined && (aggregated || groupBy.length > 0)) {
    yield* groups(columns, groupBy, chosen);
    return;
  }
  for (const { key, twin } of chosen) {
    yield {
      key,
      item:
        columns === undefined
          ? twin
          : objectOf(columns.map(({ name, value }) => [name, value?.(twin)])),
    };
  }
}

function* filter(rows: Iterable<QueryRow>, where: Query['where']): Iterable<QueryRow> {
  for (const row of rows) if (where === undefined || where(row.twin) === true) yield row;
}

function groups(
  columns: readonly QueryColumn[],
  groupBy: Query['groupBy'],
  rows: Iterable<QueryRow>,
): readonly { readonly key: string; readonly item: Json }[] {
  const members = new Map<string, JsonObject[]>();
  // Without GROUP BY all are one group, and it is there even when it is empty.
  if (groupBy.length === 0) members.set('[]', []);
  for (const { twin } of rows) {
    // A list, where undefined and null are two things.
    const key = JSON.stringify(groupBy.map(({ value }) => [value(twin)].filter(isThere)));
    const group = members.get(key);
    if (group === undefined) members.set(key, [twin]);
    else group.push(twin);
  }
  return [...members]
    .map(([key, twins]) => ({ key, item: objectOf(columns.map((each) => cell(each, twins))) }))
    .toSorted((a, b) => (a.key < b.key ? -1 : 1));
}

function cell(
  { name, value, aggregate }: QueryColumn,
  twins: readonly JsonObject[],
): readonly [string, QueryValue] {
  if (aggregate === undefined) return [name, value?.(twins[0] as JsonObject)];
  if (value === undefined) return [name, twins.length];
  return [name, aggregateOf[aggregate](twins.map(value).filter(isThere))];
}

/** Values that are no numbers do not count; of none at all there is no average. */
const aggregateOf: Readonly<Record<AggregateName, (values: readonly Json[]) => QueryValue>> = {
  COUNT: (values) => values.length,
  SUM: (values) => numbersOf(values).reduce((sum, each) => sum + each, 0),
  AVG(values) {
    const numbers = numbersOf(values);
    return numbers.length === 0
      ? undefined
      : numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
  },
  MIN: (values) => numbersOf(values).toSorted((a, b) => a - b)[0],
  MAX: (values) => numbersOf(values).toSorted((a, b) => b - a)[0],
};

function numbersOf(values: readonly Json[]): readonly number[] {
  return values.filter((value): value is number => typeof value === 'number');
}

function objectOf(entries: readonly (readonly [string, QueryValue])[]): JsonObject {
  return Object.fromEntries(
    entries.filter((entry): entry is readonly [string, Json] => isThere(entry[1])),
  );
}

function isThere(value: QueryValue): value is Json {
  return value !== undefined;
}

function writeContinuation(digest: string, served: number, after: string): string {
  return Buffer.from(JSON.stringify([digest, served, after])).toString('base64url');
}

function readContinuation(
  token: string | undefined,
  digest: string,
): { readonly served: number; readonly after: string } {
  if (token === undefined || token === '') return { served: 0, after: '' };
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(token, 'base64url').toString());
  } catch {
    parts = undefined;
  }
  const [whose, served, after] = Array.isArray(parts) ? (parts as unknown[]) : [];
  if (typeof whose !== 'string' || typeof served !== 'number' || typeof after !== 'string') {
    throw new HubError('ArgumentInvalid', 'x-ms-continuation is no token of this hub');
  }
  if (whose !== digest) {
    throw new HubError('ArgumentInvalid', 'x-ms-continuation belongs to another query');
  }
  return { served, after };
}
