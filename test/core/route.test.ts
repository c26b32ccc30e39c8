import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ParsedRoute, parseRoute, type Route } from '../../src/core/route.ts';
import { compileRoutes } from '../../src/core/route-table.ts';

type Vectors = {
  routes: {
    route: string;
    error?: string;
    source?: string;
    condition?: string;
    endpoint?: { system?: string; function?: string; argument?: string };
  }[];
  sourceMatching: { routeSource: string; messageSource: string; match: boolean }[];
  endpointFactory: { system?: string; function?: string; argument?: string; error?: boolean }[];
};
const vectors = JSON.parse(
  readFileSync(new URL('../vectors/route-vectors.json', import.meta.url), 'utf8'),
) as Vectors;

const test = suite('route');
const readings = [{}, { compat: 'iotedge' }] as const;

const message = (source: string) => ({
  source,
  sender: 'm',
  body: new Uint8Array(),
  properties: {},
  system: {},
});

function routeOf(parsed: ParsedRoute): Route {
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return parsed.route;
}

function sourceOf(text: string): string {
  return routeOf(parseRoute(`FROM ${text} INTO $upstream`)).source;
}

/** Numbers in a vector's condition are compared with properties, which are text: IoT Edge refuses that when it compiles. */
const compiles = (condition: string): boolean => !/(temp|humidity) >?=? ?\d+/.test(condition);

test('reads and refuses the routes IoT Edge does', () => {
  assert.ok(vectors.routes.length > 25);
  for (const reading of readings) {
    for (const { route, error, source, condition, endpoint } of vectors.routes) {
      const parsed = parseRoute(route, reading);
      const wanted = error === undefined && compiles(condition ?? '');
      assert.is(parsed.ok, wanted, `${route} ${JSON.stringify(parsed)}`);
      if (!parsed.ok) continue;
      const [, module, , input] = (endpoint?.argument ?? '').replace(/^\//, '').split('/');
      assert.is(parsed.route.endpoint, endpoint?.system ?? `${module}/${input}`);
      assert.is(parsed.route.source, sourceOf(source as string));
      assert.is(parsed.route.condition?.text ?? 'true', condition);
      assert.is(parsed.route.text, route);
    }
  }
});

test('the vectors it refuses for their types have the structure IoT Edge reads', () => {
  for (const { route, condition } of vectors.routes) {
    if (condition === undefined || compiles(condition)) continue;
    const numbersAsText = route.replace(/(= ?)(\d+)/g, "$1'$2'").replace(/(> ?)(\d+)/g, "$1'$2'");
    const parsed = routeOf(parseRoute(numbersAsText));
    assert.is(parsed.condition?.text.replace(/'(\d+)'/g, '$1'), condition);
  }
});

test('matches sources by whole segments, as IoT Edge does', () => {
  for (const { routeSource, messageSource, match } of vectors.sourceMatching) {
    const route = routeOf(parseRoute(`FROM ${routeSource} INTO $upstream`));
    const table = compileRoutes({ route: { route, priority: 0, timeToLiveS: 0 } });
    const { length } = table.match(message(messageSource));
    assert.is(length === 1, match, `${routeSource} ${messageSource}`);
  }
});

test('refuses the endpoints IoT Edge refuses', () => {
  for (const { system, function: name, argument, error } of vectors.endpointFactory) {
    const sink = system ?? `${name}("${argument}")`;
    assert.is(parseRoute(`FROM /* INTO ${sink}`).ok, error !== true, sink);
  }
});

test('names, white space and comments are free', () => {
  const route = routeOf(
    parseRoute(`/* why */ select *
      from /messages /modules/123/outputs/true
      where a = 'INTO' /* hot */ AND b = "x"
      into brokeredendpoint ( ' /x/Filter/y/in.1/ ' ) /* end */`),
  );
  assert.is(route.source, '/messages/modules/123/outputs/true/');
  assert.is(route.endpoint, 'Filter/in.1');
  assert.is(route.condition?.text, `a = 'INTO' /* hot */ AND b = "x"`);
});

test('a wildcard before a comment does not swallow the condition, as it does in IoT Edge', () => {
  const text = "FROM /messages/* WHERE a = 'x' /* only x */ INTO $upstream";
  assert.is(routeOf(parseRoute(text)).condition?.text, "a = 'x'");
  assert.is(routeOf(parseRoute(text, { compat: 'iotedge' })).condition, undefined);
});

const refused: readonly (readonly [string, number, string])[] = [
  ['', 1, 'Syntax error: expected FROM, found its end'],
  ['SELECT a FROM /* INTO $upstream', 8, 'Syntax error: expected * after SELECT, found `a`'],
  ['FROM messages INTO $upstream', 6, 'Syntax error: expected a source after FROM'],
  ['FROM /a//b INTO $upstream', 6, "Syntax error: '/a//b' has an empty segment"],
  [
    'FROM /* WHERE INTO $upstream',
    15,
    'Syntax error: expected a condition after WHERE, found `INTO`',
  ],
  ["FROM /* WHERE a = 'x'", 22, 'Syntax error: expected INTO after the condition, found its end'],
  ['FROM /* TO $upstream', 9, 'Syntax error: expected INTO after the source, found `TO`'],
  ["FROM /* WHERE a = 'x INTO $upstream", 19, 'Syntax error: unterminated string'],
  ['FROM /* INTO $cloud', 14, "System endpoint type '$cloud' not supported"],
  ['FROM /* INTO upstream', 14, 'Syntax error: expected a sink after INTO, found `upstream`'],
  ['FROM /* INTO BrokeredEndpoint', 30, 'Syntax error: expected (, found its end'],
  ['FROM /* INTO BrokeredEndpoint(a)', 31, 'Syntax error: expected the input in quotes, found `a`'],
  ['FROM /* INTO BrokeredEndpoint("/a/b/c/d"', 41, 'Syntax error: expected ), found its end'],
  ['FROM /* INTO BrokeredEndpoint("/a/b")', 31, "'/a/b' is no input of a module"],
  [
    'FROM /* INTO $upstream WHERE x = 1',
    24,
    'Syntax error: nothing may follow the sink, but `WHERE x = 1` does',
  ],
];

test('a problem has its place and its words', () => {
  for (const [text, column, wanted] of refused) {
    const parsed = parseRoute(text);
    const [first, ...others] = parsed.ok ? [] : parsed.problems;
    assert.equal([first?.message, first?.start.column], [wanted, column], text);
    assert.ok((first?.remedy ?? '').length > 5, text);
    assert.is(others.length, 0, text);
  }
});

test('all problems of a route are told at once', () => {
  const parsed = parseRoute('FROM /*\nWHERE a > 5 AND foo(b)\nINTO $nowhere');
  assert.equal(
    parsed.ok ? [] : parsed.problems.map(({ start, message }) => [start.line, message]),
    [
      [
        2,
        "Invalid operands to binary operator '>': have 'string' and 'number', expected 'string' and 'string'",
      ],
      [2, "Invalid built-in function 'foo'"],
      [3, "System endpoint type '$nowhere' not supported"],
    ],
  );
});

test('twin_change_includes is for twin changes only', () => {
  const text = (source: string) =>
    `FROM ${source} WHERE twin_change_includes(properties.reported.a) INTO $upstream`;
  assert.ok(parseRoute(text('/twinChangeNotifications')).ok);
  assert.not.ok(parseRoute(text('/messages/*')).ok);
  assert.not.ok(parseRoute(text('/*')).ok);
});

test('an endless text is refused, not read', () => {
  const parsed = parseRoute(`FROM /* WHERE ${"'".repeat(1_000_000)} INTO $upstream`);
  assert.match(parsed.ok ? '' : String(parsed.problems[0]?.message), /more than 16384 characters/);
});

// ---------------------------------------------------------------------------- properties

const segment = fc.stringMatching(/^[a-zA-Z0-9_.$-]{1,8}$/);
const parts = fc.record({
  source: fc.array(segment, { minLength: 1, maxLength: 6 }).map((names) => `/${names.join('/')}`),
  condition: fc.option(fc.constantFrom("a = 'x'", '$body.t > 1', 'NOT ($body.on AND true)')),
  sink: fc.option(fc.tuple(segment, segment)),
});

test('what is printed reads as the same', () => {
  fc.assert(
    fc.property(parts, ({ source, condition, sink }) => {
      const where = condition === null ? '' : ` WHERE ${condition}`;
      const into =
        sink === null ? '$upstream' : `BrokeredEndpoint("/modules/${sink[0]}/inputs/${sink[1]}")`;
      const text = `FROM ${source}${where} INTO ${into}`;
      for (const reading of readings) {
        const route = routeOf(parseRoute(text, reading));
        assert.is(route.source, `${source.toLowerCase()}/`);
        assert.is(route.condition?.text, condition ?? undefined);
        assert.is(route.endpoint, sink === null ? '$upstream' : sink.join('/'));
      }
    }),
  );
});

/** Texts that get further than random ones. */
const words = fc.constantFrom(
  'FROM',
  'WHERE',
  'INTO',
  'SELECT',
  '*',
  '/',
  '/*',
  '*/',
  '/messages',
  '/a//',
  '$upstream',
  '$x',

  'BrokeredEndpoint',
  '(',
  ')',
  '"/a/b/c/d"',
  "'",
  '"',
  '@',
  'a',
  '=',
  '!=',
  "'x'",
  '\\',
  '\n',
  '$body.a',
);

test('any text is an answer, never an exception', () => {
  const almost = fc.array(words, { maxLength: 14 }).map((chosen) => chosen.join(' '));
  const texts = fc.oneof(
    fc.string({ unit: 'binary' }),
    almost,
    almost.map((text) => `FROM ${text}`),
    almost.map((text) => `FROM /* WHERE ${text}`),
  );
  fc.assert(
    fc.property(texts, fc.constantFrom(...readings), (text, reading) => {
      const parsed = parseRoute(text, reading);
      assert.ok(parsed.ok || parsed.problems.length > 0, text);
      for (const { start, end } of parsed.ok ? [] : parsed.problems) {
        assert.ok(start.line >= 1 && start.column >= 1, text);
        assert.ok(end.line > start.line || end.column >= start.column, text);
      }
    }),
    { numRuns: 2_000 },
  );
});

test.run();
