import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseRoute } from '../../src/core/route.ts';
import { parseHubConfig } from '../../src/core/route-config.ts';
import { compileRoutes, PRIORITY_NONE } from '../../src/core/route-table.ts';

type Vectors = {
  routes: {
    route: string;
    error?: string;
    condition?: string;
    endpoint?: { system?: string; function?: string; argument?: string };
  }[];
  sourceMatching: { routeSource: string; messageSource: string; match: boolean }[];
  endpointFactory: { function?: string; argument?: string; error?: boolean }[];
};
const vectors = JSON.parse(
  readFileSync(new URL('../vectors/route-vectors.json', import.meta.url), 'utf8'),
) as Vectors;

const test = suite('route');

const message = (source: string) => ({
  source,
  sender: 'm',
  body: new Uint8Array(),
  properties: {},
  system: {},
});

function endpointOf(text: string): string {
  const parsed = parseRoute(text);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problem));
  return parsed.value.endpoint;
}

test('reads and refuses the routes IoT Edge does, where the condition is "true"', () => {
  const plain = vectors.routes.filter((vector) => (vector.condition ?? 'true') === 'true');
  assert.ok(plain.length > 15);
  for (const { route, error, endpoint } of plain) {
    const parsed = parseRoute(route);
    assert.is(parsed.ok, error === undefined, `${route} ${JSON.stringify(parsed)}`);
    if (!parsed.ok || endpoint === undefined) continue;
    const [, module, , input] = (endpoint.argument ?? '').replace(/^\//, '').split('/');
    assert.is(parsed.value.endpoint, endpoint.system ?? `${module}/${input}`);
  }
});

test('matches sources by whole segments, as IoT Edge does', () => {
  for (const { routeSource, messageSource, match } of vectors.sourceMatching) {
    const parsed = parseRoute(`FROM ${routeSource} INTO $upstream`);
    if (!parsed.ok) throw new Error(parsed.problem.message);
    const route = { route: parsed.value, priority: 0, timeToLiveS: 0 };
    const table = compileRoutes({ route });
    assert.is(
      table.match(message(messageSource)).length === 1,
      match,
      `${routeSource} ${messageSource}`,
    );
  }
});

test('refuses the endpoints IoT Edge refuses', () => {
  for (const { function: name, argument, error } of vectors.endpointFactory) {
    if (name === undefined) continue;
    assert.is(parseRoute(`FROM /* INTO ${name}("${argument}")`).ok, error !== true, argument);
  }
});

test('text after a complete route is a problem, with its column', () => {
  assert.equal(parseRoute('FROM /* INTO $upstream WHERE x = 1'), {
    ok: false,
    problem: { message: 'nothing may follow the sink, but "WHERE x = 1" does', column: 24 },
  });
});

test('comments are white space', () => {
  assert.is(endpointOf('/* why */ FROM /* INTO $upstream'), '$upstream');
});

test('any text is an answer, never an exception', () => {
  fc.assert(fc.property(fc.string(), (text) => void parseRoute(text)));
  fc.assert(fc.property(fc.string(), (text) => void parseRoute(`FROM /${text} INTO ${text}`)));
});

test('one copy per endpoint: the most urgent route wins and brings its time to live', () => {
  const { config, problems } = parseHubConfig({
    schemaVersion: '1.1',
    routes: {
      slow: 'FROM /* INTO $upstream',
      fast: { route: 'FROM /messages/modules/m/* INTO $upstream', priority: 2, timeToLiveSecs: 60 },
      side: { route: 'FROM /* INTO BrokeredEndpoint("/modules/n/inputs/in")' },
    },
  });
  assert.equal(problems, []);
  assert.equal(
    compileRoutes(config?.routes ?? {}).match(message('/messages/modules/m/outputs/o')),
    [
      { endpoint: '$upstream', priority: 2, timeToLiveS: 60 },
      { endpoint: 'n/in', priority: PRIORITY_NONE, timeToLiveS: 0 },
    ],
  );
});

test('a bad route costs only itself', () => {
  const { config, problems } = parseHubConfig({
    schemaVersion: '1.1',
    routes: {
      good: 'FROM /* INTO $upstream',
      bad: 'FROM /messages INTO nowhere',
      worse: { route: 'FROM /* INTO $upstream', priority: 12 },
    },
  });
  assert.equal(Object.keys(config?.routes ?? {}), ['good']);
  assert.is(problems.length, 2);
  assert.match(
    problems[0] as string,
    /^routes\.bad: expected \$upstream or BrokeredEndpoint.* column 21$/,
  );
});

test('a time to live left out is none', () => {
  const ttl = (storeAndForwardConfiguration: never) =>
    parseHubConfig({ schemaVersion: '1.0', storeAndForwardConfiguration }).config?.timeToLiveS;
  assert.is(ttl({} as never), Number.POSITIVE_INFINITY);
  assert.is(ttl({ timeToLiveSecs: -1 } as never), Number.POSITIVE_INFINITY);
  assert.is(ttl({ timeToLiveSecs: 7200 } as never), 7200);
});

test.run();
