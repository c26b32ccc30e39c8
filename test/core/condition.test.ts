import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { compileCondition } from '../../src/core/condition.ts';
import { type ConditionContext, checkCondition } from '../../src/core/condition-check.ts';
import { buildEvaluate } from '../../src/core/condition-evaluate.ts';
import { readToken, type Token } from '../../src/core/condition-lexer.ts';
import { viewMessage } from '../../src/core/condition-message.ts';
import { parseCondition } from '../../src/core/condition-parser.ts';
import type { Expression, RouteReading, Value } from '../../src/core/condition-syntax.ts';
import type { Message, Properties } from '../../src/core/message.ts';

type SampleMessage = {
  source: string;
  body?: string;
  bodyJson?: unknown;
  properties: Properties;
  systemProperties: Properties;
};
type Vectors = {
  messages: Record<string, SampleMessage>;
  conditions: {
    expr: string;
    message: string | SampleMessage;
    routeSource?: string;
    expected: 'true' | 'false' | 'undefined' | 'compile-error';
  }[];
  literals: { expr: string; value: Value }[];
  arithmetic: { expr: string; value: Value }[];
  errors: {
    expr: string;
    firstError: string;
    errorCount?: number;
    start?: [number, number];
    end?: [number, number];
  }[];
  jsonPaths: { path: string; validator: 'jsonPath' | 'twinChangeJsonPath'; valid: boolean }[];
};
const vectors = JSON.parse(
  readFileSync(new URL('../vectors/route-vectors.json', import.meta.url), 'utf8'),
) as Vectors;

const test = suite('condition');
const edge: RouteReading = { compat: 'iotedge' };

const messageOf = (sample: SampleMessage): Message => ({
  source: sample.source,
  sender: 'm',
  body: new TextEncoder().encode(
    sample.bodyJson === undefined ? (sample.body ?? '') : JSON.stringify(sample.bodyJson),
  ),
  properties: sample.properties,
  system: sample.systemProperties,
});

function outcome(text: string, message: Message, context: ConditionContext): string {
  const compiled = compileCondition(text, context);
  return compiled.ok ? String(compiled.condition.evaluate(viewMessage(message))) : 'compile-error';
}

function outcomeOf(vector: Vectors['conditions'][number], reading: RouteReading): string {
  const { message, expr } = vector;
  const sample = typeof message === 'string' ? vectors.messages[message] : message;
  assert.ok(sample, `no message ${String(message)}`);
  const source = vector.routeSource ?? sample.source;
  return outcome(expr, messageOf(sample), {
    ...reading,
    ofTwinChanges: source === '/twinChangeNotifications',
  });
}

test('reads every condition as IoT Edge does, when asked to', () => {
  assert.ok(vectors.conditions.length > 400);
  for (const vector of vectors.conditions) {
    assert.is(outcomeOf(vector, edge), vector.expected, vector.expr);
  }
});

/** What is read otherwise by default, and why; docs/differences.md tells it to people. */
const differences: Readonly<Record<string, string>> = {
  // There is no order between null, where the path leads nowhere, and 5.
  '$body.message.Weather.Missing > 5': 'undefined',
  // Nor between a number and a text.
  "$body.message.Weather.Temperature < '1'": 'undefined',
  // 50 is not null.
  'is_null($body.message.Weather.Temperature)': 'false',
  // A text that looks like a date is a text.
  "$body.message.Weather.Time <> '100'": 'true',
  // A body value may stand on either side.
  'true AND $body.message.Weather.IsEnabled': 'true',
  // A missing space would make a condition that can never be true.
  "City!='Redmond'": 'compile-error',
};

test('reads conditions otherwise by default exactly where that is listed', () => {
  const found: Record<string, string> = {};
  for (const vector of vectors.conditions) {
    const got = outcomeOf(vector, {});
    if (got !== vector.expected) found[vector.expr] = got;
  }
  assert.equal(found, differences);
});

function valueOf(text: string): Value {
  const { expression, problems } = parsed(text);
  const types = checkCondition(expression, {}, (_, message) => problems.push(message));
  assert.equal(problems, [], text);
  return buildEvaluate(expression, types, false)(viewMessage(messageWith({})));
}

function parsed(text: string): { expression: Expression; problems: string[] } {
  const problems: string[] = [];
  const tokens: Token[] = [];
  do tokens.push(readToken(text, tokens.at(-1)?.end ?? 0));
  while (tokens.at(-1)?.kind !== 'end');
  return { expression: parseCondition(tokens, (_, message) => problems.push(message)), problems };
}

test('literals and arithmetic have the values they have in IoT Edge', () => {
  for (const { expr, value } of [...vectors.literals, ...vectors.arithmetic]) {
    assert.is(String(valueOf(expr)), String(value), expr);
  }
});

test('problems have IoT Edge’s words and places, when asked to', () => {
  for (const { expr, firstError, errorCount, start, end } of vectors.errors) {
    const compiled = compileCondition(expr, edge);
    if (compiled.ok) throw new Error(`${expr} compiles`);
    const [first] = compiled.problems;
    assert.is(first?.message, firstError, expr);
    if (start) assert.equal([first?.start.line, first?.start.column], start, expr);
    if (end) assert.equal([first?.end.line, first?.end.column], end, expr);
    if (errorCount) assert.is(compiled.problems.length, errorCount, expr);
  }
});

test('one mistake is one problem by default', () => {
  for (const { expr } of vectors.errors) {
    const compiled = compileCondition(expr);
    assert.is(compiled.ok ? 0 : compiled.problems.length, 1, expr);
  }
});

test('paths are checked when the route is read', () => {
  for (const { path, validator, valid } of vectors.jsonPaths) {
    const text = validator === 'jsonPath' ? `$body.${path} = 1` : `twin_change_includes(${path})`;
    assert.is(compileCondition(text, { ofTwinChanges: true }).ok, valid, text);
  }
});

// ------------------------------------------------------------------------------- by hand

function messageWith(change: {
  body?: unknown;
  bytes?: Uint8Array;
  properties?: Properties;
  system?: Properties;
}): Message {
  return {
    source: '/messages/modules/m/outputs/o',
    sender: 'm',
    body: change.bytes ?? new TextEncoder().encode(JSON.stringify(change.body ?? {})),
    properties: change.properties ?? {},
    system: change.system ?? { contentType: 'application/json', contentEncoding: 'utf-8' },
  };
}

const body = {
  t: 21.5,
  on: true,
  none: null,
  name: 'a',
  list: [1, 2],
  deep: { t: 3 },
  when: '2026-01-01T00:00:00Z',
};

const byDefault: readonly (readonly [string, string])[] = [
  ['$body.t > 20', 'true'],
  ['20 < $body.t', 'true'],
  ["$body.t > '20'", 'undefined'],
  ['$body.missing > 5', 'undefined'],
  ['$body.missing = null', 'true'],
  ['$body.none = null', 'true'],
  ['is_null($body.none)', 'true'],
  ['is_null($body.t)', 'false'],
  ['is_null($body.missing)', 'false'],
  ['is_null($body.list)', 'false'],
  ['is_defined($body.list)', 'false'],
  ['true AND $body.on', 'true'],
  ['$body.on AND true', 'true'],
  ['false AND $body.missing', 'false'],
  ['$body.missing AND false', 'false'],
  ['$body.missing OR true', 'true'],
  ['$body.missing OR $body.on', 'true'],
  ['NOT $body.missing', 'undefined'],
  ['NOT $body.on', 'false'],
  ["$body.when = '2026-01-01T00:00:00Z'", 'true'],
  ['$body.list[1] = 2', 'true'],
  ['$body.list[7] = null', 'true'],
  ['$body.deep.t = 3', 'true'],
  ['$body.T = null', 'true'],
  ['$body.t + 1 > 22 AND $body.t * 2 = 43', 'true'],
  ["$body.name || 'b' = 'ab'", 'true'],
  ['($body.list ?? 7) = 7', 'true'],
  ['NOT (undefined)', 'compile-error'],
  ['1 / -(0) < 0', 'true'],
];

test('what a person expects of a body', () => {
  for (const [text, expected] of byDefault) {
    assert.is(outcome(text, messageWith({ body }), {}), expected, text);
  }
});

const inCompat: readonly (readonly [string, string])[] = [
  ["$body.t > '20'", 'false'],
  ['$body.missing > 5', 'true'],
  ['is_null($body.t)', 'true'],
  ['is_null($body.none)', 'true'],
  ['is_null($body.missing)', 'false'],
  ['is_null($body.list)', 'undefined'],
  ['true AND $body.on', 'compile-error'],
  ["$body.on AND 'text'", 'undefined'],
  ['$body.missing OR true', 'undefined'],
  ["$body.when = '2026-01-01T00:00:00Z'", 'undefined'],
];

test('the same, by the letter of IoT Edge', () => {
  for (const [text, expected] of inCompat) {
    assert.is(outcome(text, messageWith({ body }), edge), expected, text);
  }
});

test('a body counts only when it says that it is JSON, in an encoding it names', () => {
  const type = 'Application/JSON';
  const cases: readonly (readonly [Properties, string])[] = [
    [{ contentType: type, contentEncoding: 'UTF-8' }, 'true'],
    [{ contentType: type }, 'undefined'],
    [{ contentEncoding: 'utf-8' }, 'undefined'],
    [{ contentType: `${type}; charset=utf-8`, contentEncoding: 'utf-8' }, 'undefined'],
    [{ contentType: type, contentEncoding: 'latin1' }, 'undefined'],
    [{ contentType: type, contentEncoding: 'toString' }, 'undefined'],
  ];
  for (const [system, expected] of cases) {
    const message = messageWith({ body: { a: 1 }, system });
    assert.is(outcome('$body.a = 1', message, {}), expected, JSON.stringify(system));
  }
  const encodings: Readonly<Record<string, (text: string) => Uint8Array>> = {
    'utf-16': (text) => new Uint8Array(Buffer.from(text, 'utf16le')),
    'utf-32': (text) =>
      new Uint8Array(Uint32Array.from(text, (part) => part.codePointAt(0) as number).buffer),
  };
  for (const [contentEncoding, encode] of Object.entries(encodings)) {
    const bytes = encode('{"a":"é\u{1f600}"}');
    const message = messageWith({ bytes, system: { contentType: type, contentEncoding } });
    assert.is(outcome("$body.a = 'é\u{1f600}'", message, {}), 'true', contentEncoding);
  }
});

test('names that JavaScript knows are not in every message', () => {
  for (const name of ['__proto__', 'constructor', 'toString']) {
    assert.is(outcome(`is_defined(${name})`, messageWith({}), {}), 'false', name);
    assert.is(outcome(`is_defined($${name})`, messageWith({}), {}), 'false', name);
    assert.is(outcome(`$body.${name} = null`, messageWith({ body: {} }), {}), 'true', name);
  }
});

test('the body is parsed at most once', () => {
  const message = messageWith({ body: { a: 1 } });
  let reads = 0;
  const counting = {
    ...message,
    get body() {
      reads++;
      return message.body;
    },
  };
  const view = viewMessage(counting);
  const compiled = compileCondition('$body.a = 1 AND $body.b = null');
  if (!compiled.ok) throw new Error('does not compile');
  compiled.condition.evaluate(view);
  compiled.condition.evaluate(view);
  assert.is(reads, 1);
});

test('as_number reads what .NET does', () => {
  const cases: readonly (readonly [string, string])[] = [
    [' 1,234.5 ', '1234.5'],
    ['(5)', '-5'],
    ['5-', '-5'],
    ['\u00a45', '5'],
    ['-1e3', '-1000'],
    ['.5', '0.5'],
    ['1.', '1'],
    ['1e999', 'Infinity'],
    ['', 'NaN'],
    ['.', 'NaN'],
    ['-(5)', 'NaN'],
    ['--5', 'NaN'],
    ['0x10', 'NaN'],
    ['5 5', 'NaN'],
  ];
  for (const [text, expected] of cases) {
    assert.is(String(valueOf(`as_number('${text}')`)), expected, text);
  }
});

test('substring answers for all places and lengths', () => {
  for (let from = -10; from <= 10; from++) {
    const rest = valueOf(`substring('hello', ${from})`);
    assert.is(rest, from >= 0 && from <= 5 ? 'hello'.slice(from) : undefined);
    for (let count = -10; count <= 10; count++) {
      const part = valueOf(`substring('hello', ${from}, ${count})`);
      const fits = from >= 0 && from < 5 && count >= 0 && from + count <= 5;
      assert.is(part, fits ? 'hello'.slice(from, from + count) : undefined);
    }
  }
});

test('letters that change their length keep their case', () => {
  assert.is(valueOf("upper('straße')"), 'STRAßE');
  assert.is(valueOf("lower('ΟΔΟΣ')"), 'οδοσ');
});

test('texts do not grow without end', () => {
  const text = 'x'.repeat(200_000);
  const message = messageWith({ properties: { a: text } });
  assert.is(outcome('is_defined(a || a)', message, {}), 'false');
});

const advice: readonly (readonly [string, string])[] = [
  ['a == 5', 'equality is one sign: write `a = b`'],
  ['Temperature!=50', 'operators need spaces: write `Temperature != …`'],
  ["City!='x'", 'operators need spaces: write `City != …`'],
  ['a+b = 3', 'operators need spaces: write `a + b`'],
  ['3 -4 = 1', 'operators need spaces: write `- 4`'],
  ["a = 'x' && b = 'y'", 'write AND'],
  ["a = 'x' || b = 'y'", 'comparisons are joined by AND and OR; || joins texts'],
  ["!(a = 'x')", 'write NOT (…)'],
  ["NOT a = 'x'", 'NOT binds tighter than every other operator: write NOT (a = b)'],
  [
    'a > 5',
    'properties and quotes are text: write as_number(a) to compare or compute with numbers',
  ],
  ['$body.on = TRUE AND 3 = TRUE', '"TRUE" is read as a property: write true'],
  ["a = 'x", "close the text with '"],
  ['(a', 'close it where the group ends'],
  ['a = from', '"from" is a word of the language and no property; expected a value'],
  ['list[0] = 1', '[ and ] stand only in paths such as $body.list[0]; expected a value'],
  ['$body.a. = 1', 'write names and indexes, as in $body.machine.temperatures[0].celsius'],
  ["substring('a')", 'write substring(string, number) or substring(string, number, number)'],
  ['a =', 'it ends too early; expected a value'],
  ['twin_change_includes(tags.a)', 'it is for routes FROM /twinChangeNotifications'],
];

test('a problem says what to write instead', () => {
  for (const [text, remedy] of advice) {
    const compiled = compileCondition(text);
    assert.is(compiled.ok ? 'no problem' : compiled.problems[0]?.remedy, remedy, text);
  }
});

test('lines and columns count from one', () => {
  const compiled = compileCondition("a = 'x'\r\n  AND @b = 'y'");
  assert.equal(compiled.ok ? [] : compiled.problems.map(({ start, end }) => [start, end]), [
    [
      { line: 2, column: 7 },
      { line: 2, column: 8 },
    ],
  ]);
});

test('a condition has its limits', () => {
  const deep = compileCondition(`${'('.repeat(100)}true${')'.repeat(100)}`);
  assert.match(deep.ok ? '' : String(deep.problems[0]?.message), /nested more than 64 deep/);
  const long = compileCondition(`true${' AND true'.repeat(1_000)}`);
  assert.match(long.ok ? '' : String(long.problems[0]?.message), /more than 1000 parts/);
  assert.ok(compileCondition(`true${' AND true'.repeat(990)}`).ok);
});

// ---------------------------------------------------------------------------- properties

type Shape = { [key: string]: unknown };

/** A tree without the places in the text. */
function shapeOf(expression: Expression): Shape {
  const { at: _at, ...rest } = expression;
  return Object.fromEntries(
    Object.entries(rest).map(([key, value]) => {
      if (key === 'left' || key === 'right' || key === 'operand')
        return [key, shapeOf(value as Expression)];
      return [key, key === 'given' ? (value as Expression[]).map(shapeOf) : value];
    }),
  );
}

function print(expression: Shape): string {
  const inner = (key: string): string => print(expression[key] as Shape);
  switch (expression['kind']) {
    case 'literal':
      return expression['type'] === 'string'
        ? `"${String(expression['value']).replace(/[\\"]/g, '\\$&')}"`
        : String(expression['value']);
    case 'property':
      return String(expression['name']);
    case 'system':
      return expression['shadow'] === undefined
        ? `{ $${String(expression['name'])} }`
        : `$${String(expression['name'])}`;
    case 'body': {
      const path = (expression['path'] as (string | number)[])
        .map((step) => (typeof step === 'number' ? `[${step}]` : `.${step}`))
        .join('');
      return expression['shadow'] === undefined ? `{$body${path}}` : `$body${path}`;
    }
    case 'call':
      return `${String(expression['name'])}(${(expression['given'] as Shape[]).map(print).join(', ')})`;
    case 'unary':
      return `${String(expression['operator'])} (${inner('operand')})`;
    default:
      return `(${inner('left')}) ${String(expression['operator'])} (${inner('right')})`;
  }
}

const name = fc
  .stringMatching(/^[a-z][a-zA-Z0-9_.-]{0,8}$/)
  .filter((text) => readToken(text, 0).kind === 'name');
const operators = [
  '=',
  '!=',
  '<>',
  '<',
  '<=',
  '>',
  '>=',
  '+',
  '-',
  '*',
  '/',
  '%',
  '||',
  '??',
  'and',
  'or',
];
const node = (model: Record<string, fc.Arbitrary<unknown>>): fc.Arbitrary<Shape> =>
  fc.record(model, { noNullPrototype: true });
const { tree } = fc.letrec<{ tree: Shape }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(
      node({ kind: fc.constant('property'), name }),
      node({
        kind: fc.constant('literal'),
        value: fc
          .oneof(fc.string(), fc.string({ unit: 'binary' }))
          .filter((text) => !/\\u/i.test(text)),
        type: fc.constant('string'),
      }),
      node({
        kind: fc.constant('literal'),
        value: fc
          .double({ noNaN: true, noDefaultInfinity: true })
          .map((value) => (value === 0 ? 0 : value)),
        type: fc.constant('number'),
      }),
      node({ kind: fc.constant('literal'), value: fc.boolean(), type: fc.constant('bool') }),
      fc.constantFrom<Shape>(
        { kind: 'literal', value: null, type: 'null' },
        { kind: 'literal', value: undefined, type: 'undefined' },
        { kind: 'system', name: 'contentType', shadow: '$contentType' },
        { kind: 'system', name: 'contentType', shadow: undefined },
        { kind: 'body', path: ['a', 2, 'b'], shadow: undefined },
        { kind: 'body', path: ['a', 'b'], shadow: '$body.a.b' },
      ),
    ),
    node({ kind: fc.constant('call'), name, given: fc.array(tie('tree'), { maxLength: 3 }) }),
    node({
      kind: fc.constant('unary'),
      operator: fc.constantFrom('-', 'not'),
      operand: tie('tree'),
    }),
    node({
      kind: fc.constant('binary'),
      operator: fc.constantFrom(...operators),
      left: tie('tree'),
      right: tie('tree'),
    }),
  ) as fc.Arbitrary<Shape>,
}));

test('what is printed reads as the same', () => {
  fc.assert(
    fc.property(tree, (shape) => {
      const text = print(shape);
      const { expression, problems } = parsed(text);
      assert.equal(problems, [], text);
      assert.equal(shapeOf(expression), shape, text);
    }),
  );
});

/** Texts that get further than random ones. */
const words = fc.constantFrom(
  ...operators,
  '(',
  ')',
  '{',
  '}',
  ',',
  '@',
  '[',
  "'a'",
  "'",
  '"',
  '\\',
  '1',
  '-1',
  '0x1F',
  '1e5',
  '.5',
  'true',
  'null',
  'undefined',
  'not',
  'a',
  'b!',
  '$body.t',
  '$body.list[0]',
  '$body.',
  '$contentType',
  'is_null',
  'is_defined',
  'concat',
  'as_number',
  'length',
  'substring',
  '/*',
  '*/',
  '\n',
);
const almost = fc.array(words, { maxLength: 12 }).map((parts) => parts.join(' '));

test('every text has an answer, and every condition has one for every message', () => {
  const message = messageWith({ body, properties: { a: '1', 'b!': 'x' } });
  const context = fc.constantFrom<ConditionContext>({}, edge, { ofTwinChanges: true });
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: 'binary' }), almost),
      context,
      (text, given) => {
        const compiled = compileCondition(text, given);
        if (!compiled.ok) return assert.ok(compiled.problems.length > 0);
        const answer = compiled.condition.evaluate(viewMessage(message));
        assert.ok(answer === undefined || typeof answer === 'boolean');
      },
    ),
    { numRuns: 2_000 },
  );
});

test('well-typed trees evaluate to a value, whatever the body is', () => {
  fc.assert(
    fc.property(tree, fc.jsonValue(), (shape, value) => {
      const compiled = compileCondition(print(shape));
      if (!compiled.ok) return;
      const answer = compiled.condition.evaluate(viewMessage(messageWith({ body: { a: value } })));
      assert.ok(answer === undefined || typeof answer === 'boolean');
    }),
    { numRuns: 1_000 },
  );
});

test.run();
