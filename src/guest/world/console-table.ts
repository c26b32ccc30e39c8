/** What `console.table` prints: rows and columns in a frame, as Node draws it. */
import { inspect } from './inspect.ts';

/** Undefined = it has no rows: print it as it is. */
export function tableOf(data: unknown, properties?: unknown): string | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  if (properties !== undefined && !Array.isArray(properties)) {
    throw new TypeError('The "properties" argument of console.table must be an array');
  }
  if (data instanceof Map) {
    const [keys, values] = [[...data.keys()].map(cellOf), [...data.values()].map(cellOf)];
    return draw(['(iteration index)', 'Key', 'Values'], [keys.map((_, i) => `${i}`), keys, values]);
  }
  if (data instanceof Set) {
    const values = [...data].map(cellOf);
    return draw(['(iteration index)', 'Values'], [values.map((_, i) => `${i}`), values]);
  }
  const index = Object.keys(data);
  const columns = new Map<string, string[]>();
  const plain: string[] = [];
  for (const [row, name] of index.entries()) {
    const item = (data as Record<string, unknown>)[name];
    const isPlain = item === null || (typeof item !== 'object' && typeof item !== 'function');
    if (isPlain && properties === undefined) plain[row] = cellOf(item);
    for (const key of (properties as string[] | undefined) ?? (isPlain ? [] : Object.keys(item))) {
      const column = columns.get(key) ?? [];
      columns.set(key, column);
      const has = !isPlain && Object.hasOwn(item, key);
      column[row] = has ? cellOf((item as Record<string, unknown>)[key]) : '';
    }
  }
  if (plain.length > 0) columns.set('Values', plain);
  return draw(['(index)', ...columns.keys()], [index, ...columns.values()]);
}

function cellOf(value: unknown): string {
  const isLarge =
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.keys(value).length > 2;
  return inspect(value, { depth: isLarge ? -1 : 0, maxArrayLength: 3, breakLength: Infinity });
}

function draw(head: readonly string[], columns: readonly (readonly string[])[]): string {
  const widths = head.map((name, at) =>
    (columns[at] ?? []).reduce((width, cell) => Math.max(width, cell.length), name.length),
  );
  const rule = (left: string, middle: string, right: string): string =>
    `${left}${widths.map((width) => '─'.repeat(width + 2)).join(middle)}${right}`;
  const row = (cells: readonly (string | undefined)[]): string =>
    `│ ${cells.map((cell = '', at) => cell.padEnd(widths[at] ?? 0)).join(' │ ')} │`;
  const rows = (columns[0] ?? []).map((_, at) => row(columns.map((column) => column[at])));
  return [rule('┌', '┬', '┐'), row(head), rule('├', '┼', '┤'), ...rows, rule('└', '┴', '┘')].join(
    '\n',
  );
}
