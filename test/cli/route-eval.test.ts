import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { evaluateLine } from '../../src/cli/route/evaluate-line.ts';

const test = suite('route eval');

type Vectors = {
  messages: Record<string, object>;
  conditions: { expr: string; message: string | object; routeSource?: string; expected: string }[];
  routes: { route: string; error?: string }[];
  sourceMatching: { routeSource: string; messageSource: string; match: boolean }[];
};
const vectors = JSON.parse(
  readFileSync(new URL('../vectors/route-vectors.json', import.meta.url), 'utf8'),
) as Vectors;

const ask = (question: object, compat?: 'iotedge') =>
  evaluateLine(JSON.stringify(question), compat);

test('answers IoT Edge’s own vectors line by line', () => {
  let asked = 0;
  for (const { expr, message, routeSource, expected } of vectors.conditions) {
    if (routeSource !== undefined) continue; // Those depend on the route around them.
    const sample = typeof message === 'string' ? vectors.messages[message] : message;
    const answer = ask({ condition: expr, message: sample }, 'iotedge');
    const result = 'error' in answer ? 'compile-error' : String(answer['result']);
    assert.is(result, expected, expr);
    asked++;
  }
  assert.ok(asked > 100);
  for (const { routeSource, messageSource, match } of vectors.sourceMatching) {
    const answer = ask({
      route: `FROM ${routeSource} INTO $upstream`,
      message: { source: messageSource },
    });
    assert.is(answer['matches'], match, `${routeSource} ${messageSource}`);
  }
});

test('a route by itself is shown as it is understood', () => {
  assert.equal(
    ask({ route: 'FROM /messages/* WHERE a = "1" INTO BrokeredEndpoint("/modules/m/inputs/i")' }),
    {
      source: '/messages/',
      endpoint: 'm/i',
      condition: 'a = "1"',
    },
  );
});

test('mistakes have a place', () => {
  const { line, column, error } = ask({ route: 'FROM /* INTO\n nowhere' });
  assert.equal([line, column], [2, 2]);
  assert.type(error, 'string');
  assert.match(String(evaluateLine('{', undefined)['error']), 'JSON');
  assert.match(String(ask({})['error']), 'must have');
  assert.match(String(ask({ condition: 'a', message: 3 })['error']), 'must be a JSON object');
});

test('any line is answered', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string(), (value, text) => {
      evaluateLine(text, undefined);
      ask({ route: text, message: value });
      ask({ condition: text, message: value });
    }),
  );
});

test.run();
