/** Query text → a query (spec/iothub.md §5.5). Pure; throws ArgumentInvalid with the place of the mistake. */
import type { ArithmeticOperator, ComparisonOperator } from '../core/condition-syntax.ts';
import type { Json } from '../core/json.ts';
import { HubError } from './hub-error.ts';
import {
  arithmeticExpression,
  comparisonExpression,
  logicExpression,
  membershipExpression,
  notExpression,
  pathExpression,
  type QueryExpression,
  queryFunctions,
} from './query-expression.ts';
import { type QueryToken, querySyntax, readQueryTokens } from './query-lexer.ts';

/** What an aggregate adds up. */
export type AggregateName = 'COUNT' | 'AVG' | 'SUM' | 'MIN' | 'MAX';

export type QueryColumn = {
  /** Its name in the result. */
  readonly name: string;
  /** The path as written, to compare with GROUP BY; undefined for COUNT(). */
  readonly path: string | undefined;
  readonly value: QueryExpression | undefined;
  readonly aggregate: AggregateName | undefined;
};

export type Query = {
  readonly top: number | undefined;
  /** undefined = `*`, the whole twin. */
  readonly columns: readonly QueryColumn[] | undefined;
  readonly from: 'devices' | 'devices.modules';
  readonly where: QueryExpression | undefined;
  readonly groupBy: readonly { readonly path: string; readonly value: QueryExpression }[];
};

/** The hub's own limit. */
const QUERY_LENGTH_MAX = 8_192;
/** Parentheses, NOT and calls inside each other. */
const DEPTH_MAX = 100;
const KEYWORDS = 'SELECT TOP AS FROM WHERE GROUP BY ORDER AND OR NOT IN NIN TRUE FALSE NULL'.split(
  ' ',
);
const comparisons: readonly string[] = ['=', '!=', '<>', '<', '<=', '>', '>='];
const aggregates: readonly string[] = ['COUNT', 'AVG', 'SUM', 'MIN', 'MAX'];

export function parseQuery(text: string): Query {
  const words = wordsOf(text);
  words.needKeyword('SELECT');
  const top = words.takeKeyword('TOP') ? words.needWhole() : undefined;
  const columns = words.takeSymbol('*') ? undefined : words.list(() => readColumn(words));
  words.needKeyword('FROM');
  const from = readCollection(words);
  const where = words.takeKeyword('WHERE') ? readOr(words) : undefined;
  const groupBy = words.takeKeyword('GROUP')
    ? (words.needKeyword('BY'), words.list(() => readPath(words)))
    : [];
  words.needEnd();
  const query = { top, columns, from, where, groupBy };
  checkGroups(query);
  return query;
}

/** What stands after WHERE alone, as in target conditions. */
export function parseCondition(text: string): QueryExpression {
  const words = wordsOf(text);
  const condition = readOr(words);
  words.needEnd();
  return condition;
}

/** Reads tokens one by one. */
type Words = ReturnType<typeof wordsOf>;

function wordsOf(text: string) {
  if (text.length > QUERY_LENGTH_MAX) {
    throw new HubError('ArgumentInvalid', `a query has at most ${QUERY_LENGTH_MAX} characters`);
  }
  const tokens = readQueryTokens(text);
  let at = 0;
  let depth = 0;
  const peek = (): QueryToken => tokens[at] as QueryToken;
  const take = (): QueryToken => tokens[at < tokens.length - 1 ? at++ : at] as QueryToken;
  const expected = (what: string): HubError => {
    const { kind, text: found } = peek();
    const shown = kind === 'end' ? 'the end' : JSON.stringify(found);
    return querySyntax(peek().at, `there must be ${what}, there is ${shown}`);
  };
  const keyword = (): string | undefined => {
    const { kind, quoted, text: word } = peek();
    const upper = word.toUpperCase();
    return kind === 'word' && !quoted && KEYWORDS.includes(upper) ? upper : undefined;
  };
  const words = {
    peek,
    take,
    expected,
    keyword,
    isSymbol: (symbol: string): boolean => peek().kind === 'symbol' && peek().text === symbol,
    takeSymbol: (symbol: string): boolean => words.isSymbol(symbol) && take() !== undefined,
    takeKeyword: (wanted: string): boolean => keyword() === wanted && take() !== undefined,
    needSymbol(symbol: string): void {
      if (!words.takeSymbol(symbol)) throw expected(JSON.stringify(symbol));
    },
    needKeyword(wanted: string): void {
      if (!words.takeKeyword(wanted)) throw expected(wanted);
    },
    needWhole(): number {
      if (peek().kind !== 'number' || !/^[1-9]\d{0,8}$/.test(peek().text)) {
        throw expected('a whole number above 0');
      }
      return Number(take().text);
    },
    needEnd(): void {
      if (peek().kind === 'end') return;
      throw expected(keyword() === 'ORDER' ? 'the end (the hub cannot sort)' : 'the end');
    },
    list<T>(read: () => T): readonly T[] {
      const items = [read()];
      while (words.takeSymbol(',')) items.push(read());
      return items;
    },
    nested<T>(read: () => T): T {
      if (++depth > DEPTH_MAX) throw querySyntax(peek().at, `nested deeper than ${DEPTH_MAX}`);
      const found = read();
      depth -= 1;
      return found;
    },
  };
  return words;
}

function readCollection(words: Words): Query['from'] {
  const start = words.peek();
  const { path } = readPath(words);
  const name = path.toLowerCase();
  if (name === 'devices' || name === 'devices.modules') return name;
  throw querySyntax(
    start.at,
    name === 'devices.jobs'
      ? 'the emulator runs no jobs: only devices and devices.modules can be asked'
      : `there is no collection ${path}: known are devices and devices.modules`,
  );
}

function readPath(words: Words): {
  readonly path: string;
  readonly value: QueryExpression;
  readonly last: string;
} {
  const names: string[] = [];
  do {
    // After a dot any word is a name, also one like `in`.
    if (words.peek().kind !== 'word' || (names.length === 0 && words.keyword() !== undefined)) {
      throw words.expected('a property');
    }
    names.push(words.take().text);
  } while (words.takeSymbol('.'));
  return { path: names.join('.'), value: pathExpression(names), last: names.at(-1) as string };
}

function readColumn(words: Words): QueryColumn {
  const start = words.peek();
  const upper = start.text.toUpperCase();
  const isAggregate = start.kind === 'word' && aggregates.includes(upper);
  const column = isAggregate
    ? readAggregate(words, upper as AggregateName)
    : { ...readPath(words), aggregate: undefined };
  let name = 'last' in column ? column.last : upper.toLowerCase();
  if (words.takeKeyword('AS')) {
    if (words.peek().kind !== 'word') throw words.expected('a name');
    name = words.take().text;
  }
  return { name, path: column.path, value: column.value, aggregate: column.aggregate };
}

function readAggregate(words: Words, aggregate: AggregateName) {
  words.take();
  words.needSymbol('(');
  const whole = aggregate === 'COUNT' && (words.takeSymbol('*') || words.isSymbol(')'));
  const inner = whole ? { path: undefined, value: undefined } : readPath(words);
  words.needSymbol(')');
  return { path: inner.path, value: inner.value, aggregate };
}

function readOr(words: Words): QueryExpression {
  let left = readAnd(words);
  while (words.takeKeyword('OR')) left = logicExpression('OR', left, readAnd(words));
  return left;
}

function readAnd(words: Words): QueryExpression {
  let left = readNot(words);
  while (words.takeKeyword('AND')) left = logicExpression('AND', left, readNot(words));
  return left;
}

function readNot(words: Words): QueryExpression {
  return words.takeKeyword('NOT')
    ? notExpression(words.nested(() => readNot(words)))
    : readComparison(words);
}

function readComparison(words: Words): QueryExpression {
  const left = readSum(words);
  const { kind, text } = words.peek();
  if (kind === 'symbol' && comparisons.includes(text)) {
    words.take();
    return comparisonExpression(text as ComparisonOperator, left, readSum(words));
  }
  const negated = words.takeKeyword('NIN') || (words.takeKeyword('NOT') && needIn(words));
  if (!negated && !words.takeKeyword('IN')) return left;
  words.needSymbol('[');
  const members = words.isSymbol(']') ? [] : words.list(() => readSum(words));
  words.needSymbol(']');
  return membershipExpression(left, members, negated);
}

function needIn(words: Words): true {
  words.needKeyword('IN');
  return true;
}

function readSum(words: Words): QueryExpression {
  return readChain(words, ['+', '-'], () =>
    readChain(words, ['*', '/', '%'], () => readValue(words)),
  );
}

function readChain(
  words: Words,
  operators: readonly string[],
  read: () => QueryExpression,
): QueryExpression {
  let left = read();
  while (operators.some((operator) => words.isSymbol(operator))) {
    left = arithmeticExpression(words.take().text as ArithmeticOperator, left, read());
  }
  return left;
}

function readValue(words: Words): QueryExpression {
  if (words.takeSymbol('(')) {
    const inner = words.nested(() => readOr(words));
    words.needSymbol(')');
    return inner;
  }
  if (words.takeSymbol('-')) {
    const operand = words.nested(() => readValue(words));
    return arithmeticExpression('*', operand, () => -1);
  }
  const { kind, text } = words.peek();
  if (kind === 'text') return literal(words, text);
  if (kind === 'number') return literal(words, Number(text));
  const keyword = words.keyword();
  if (keyword === 'TRUE' || keyword === 'FALSE') return literal(words, keyword === 'TRUE');
  if (keyword === 'NULL') return literal(words, null);
  if (kind !== 'word' || keyword !== undefined) throw words.expected('a value');
  return readCallOrPath(words);
}

function literal(words: Words, value: Json): QueryExpression {
  words.take();
  return () => value;
}

function readCallOrPath(words: Words): QueryExpression {
  const start = words.peek();
  const { value, path } = readPath(words);
  if (!words.takeSymbol('(')) return value;
  const called = queryFunctions.get(path.toUpperCase());
  if (called === undefined) {
    throw querySyntax(
      start.at,
      `there is no function ${path}: there are ${[...queryFunctions.keys()].join(', ')}`,
    );
  }
  const given = words.isSymbol(')') ? [] : words.nested(() => words.list(() => readOr(words)));
  words.needSymbol(')');
  if (given.length < called.argumentsMin || given.length > called.argumentsMax) {
    throw querySyntax(start.at, `${path} cannot be called with ${given.length} values`);
  }
  return (twin) => called.run(...given.map((each) => each(twin)));
}

/** With aggregates or groups, every plain column must be one of those grouped by. */
function checkGroups({ columns, groupBy }: Query): void {
  const problem = (text: string): HubError => new HubError('ArgumentInvalid', `the query: ${text}`);
  const grouped = groupBy.map(({ path }) => path);
  if (columns === undefined) {
    if (grouped.length > 0) throw problem('SELECT * cannot be grouped');
    return;
  }
  if (grouped.length === 0 && !columns.some(({ aggregate }) => aggregate !== undefined)) return;
  for (const { aggregate, path = '' } of columns) {
    if (aggregate === undefined && !grouped.includes(path)) {
      throw problem(`${path} stands beside an aggregate, so it must stand in GROUP BY, too`);
    }
  }
}
