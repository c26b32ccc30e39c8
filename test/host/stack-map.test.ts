/** Stacks of bundles in terms of their sources. */
import { transform } from 'esbuild';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createStackMapper } from '../../src/host/stack-map.ts';

const source = `interface Reading { celsius: number }

export function read(reading: Reading): never {
  throw new Error('too hot: ' + reading.celsius);
}
`;
const { map } = await transform(source, {
  loader: 'ts',
  minify: true,
  sourcemap: 'external',
  sourcefile: 'src/main.ts',
});
const stack = 'Error: too hot: 99\n    at read (file:///my%20filter/main.js:1:30)';

const never = { after: () => () => {} };
const mapStack = (text: string, module: string, sourceMap: string): string =>
  createStackMapper(module, sourceMap, never).reason(text);

const test = suite('stack map');

test('a position in the bundle becomes one in its source', () => {
  assert.match(
    mapStack(stack, 'my filter', map),
    /^Error: too hot: 99\n {4}at read \(src\/main\.ts:4:/,
  );
});

test('without a map, with a broken one, or of another file, the text stays', () => {
  assert.is(mapStack(stack, 'my filter', ''), stack);
  assert.is(mapStack(stack, 'my filter', '{'), stack);
  assert.is(mapStack(stack, 'my filter', '[]'), stack);
  assert.is(mapStack(stack, 'other', map), stack);
});

test('hostile positions stay as they are', () => {
  for (const position of ['99999:1', '0:0', 'x:y', '', '999999999999:1', '1']) {
    const text = `at file:///m/main.js:${position}`;
    assert.is(mapStack(text, 'm', map), text, position);
  }
});

test('lines of the log are mapped, too, and the parsed map is not kept for ever', () => {
  const waits: (() => void)[] = [];
  const clock = {
    after(_ms: number, run: () => void) {
      waits.push(run);
      return () => {};
    },
  };
  const mapper = createStackMapper('my filter', map, clock);
  const log = { t: 'log', level: 'error', text: stack } as const;
  const other = { t: 'ack', ids: [1] } as const;
  assert.is(waits.length, 0);
  const [first, second] = mapper.requests([other, log]);
  assert.is(first, other);
  assert.match(second?.t === 'log' ? second.text : '', 'src/main.ts:4:');
  assert.is(waits.length, 1);
  waits[0]?.();
  assert.match(mapper.reason(stack), 'src/main.ts:4:');
  const requests = [other];
  assert.is(mapper.requests(requests), requests);
});

test.run();
