/** `metrics` of 'isolet': what leaves the isolate, how it is held, and how Prometheus reads it. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { familiesProblem, type MetricFamily, prometheusText } from '../../src/core/own-metrics.ts';
import { createOwnMetrics } from '../../src/supervisor/own-metrics.ts';
import { withBox } from './module-box.ts';

const test = suite('metrics');
const plain = { help: '', labels: [], bounds: [] } as const;

test('changes are told together, each with its last value', async () => {
  const source = `
    import { metrics } from 'isolet';
    const parts = metrics.counter('parts_total', { help: 'Parts that came by', labels: ['line'] });
    const heat = metrics.gauge('heat_celsius');
    const took = metrics.histogram('took_seconds', { buckets: [0.1, 1] });
    for (let i = 0; i < 1000; i++) parts.add(1, { line: 3 });
    metrics.counter('parts_total', { labels: ['line'] }).add(2, { line: 'four "4"' });
    heat.set(80); heat.add(-1.5);
    for (const value of [0.05, 0.1, 0.5, 7]) took.observe(value);
    metrics.gauge('silent');`;
  await withBox(source, async (box) => {
    await box.tick();
    const { families } = await box.request('metrics');
    assert.is(familiesProblem(families), undefined);
    assert.equal(families, [
      {
        name: 'parts_total',
        kind: 'counter',
        help: 'Parts that came by',
        labels: ['line'],
        bounds: [],
        series: [
          [['3'], 1000],
          [['four "4"'], 2],
        ],
      },
      { ...plain, name: 'heat_celsius', kind: 'gauge', series: [[[], 78.5]] },
      {
        ...plain,
        name: 'took_seconds',
        kind: 'histogram',
        bounds: [0.1, 1],
        series: [[[], { counts: [2, 1, 1], sum: 7.65 }]],
      },
    ]);
    assert.is(
      prometheusText([['m', families]]),
      `# HELP parts_total Parts that came by
# TYPE parts_total counter
parts_total{module="m",line="3"} 1000
parts_total{module="m",line="four \\"4\\""} 2

# TYPE heat_celsius gauge
heat_celsius{module="m"} 78.5

# TYPE took_seconds histogram
took_seconds_bucket{module="m",le="0.1"} 2
took_seconds_bucket{module="m",le="1"} 3
took_seconds_bucket{module="m",le="+Inf"} 4
took_seconds_sum{module="m"} 7.65
took_seconds_count{module="m"} 4
`,
    );
  });
});

test('mistakes are told, and too many series are dropped with one line', async () => {
  const source = `
    import { metrics } from 'isolet';
    const failure = (run) => { try { run(); return 'fine'; } catch (error) { return error.message; } };
    const one = metrics.counter('one', { labels: ['a'] });
    console.log(failure(() => metrics.counter('1x')));
    console.log(failure(() => metrics.gauge('one')));
    console.log(failure(() => metrics.gauge('g', { labels: ['module'] })));
    console.log(failure(() => metrics.histogram('h', { buckets: [2, 1] })));
    console.log(failure(() => one.add(-1, { a: 1 })));
    console.log(failure(() => one.add(NaN, { a: 1 })));
    console.log(failure(() => one.add()));
    console.log(failure(() => one.add(1, { a: 1, b: 2 })));
    for (let i = 0; i < 1100; i++) one.add(1, { a: i });
    console.log('end');`;
  await withBox(source, async (box) => {
    await box.log('end');
    assert.equal(box.logs(), [
      'The name "1x" must be a letter or _ and up to 99 letters, digits and _.',
      'There is a counter one already, with other labels or buckets.',
      'The label "module" of g is a label of the runtime’s own.',
      'The buckets of h must be numbers that grow.',
      'one only grows: -1 is less than 0.',
      'one takes numbers, not NaN.',
      'one needs the label "a".',
      'one has no label "b".',
      'one: a module may have 1000 combinations of label values; new ones are dropped.',
      'end',
    ]);
    await box.tick();
    const { families } = await box.request('metrics');
    assert.is(families[0]?.series.length, 1000);
    assert.is(familiesProblem(families), undefined);
  });
});

const gauge = (name: string, ...series: MetricFamily['series']): MetricFamily => ({
  ...plain,
  name,
  kind: 'gauge',
  labels: ['l'],
  series,
});

test('last values are held, up to a bound, until the module starts anew', () => {
  const own = createOwnMetrics();
  assert.is(own.measured('b', [gauge('x', [['1'], 1], [['2'], 2])], 3), 0);
  assert.is(own.measured('b', [gauge('x', [['2'], 5], [['3'], 3], [['4'], 4])], 3), 1);
  assert.is(own.measured('a', [{ ...gauge('x', [['1'], 9]), kind: 'counter' }]), 0);
  assert.is(
    prometheusText(own.all()),
    `# TYPE x counter
x{module="a",l="1"} 9
# of module b it is a gauge, and left out
`,
  );
  own.clear('a');
  assert.match(prometheusText(own.all()), /x\{module="b",l="2"\} 5\nx\{module="b",l="3"\} 3\n$/);
  const many = Array.from({ length: 60 }, (_, at) => gauge(`n${at}`, [['1'], 1]));
  const more = Array.from({ length: 60 }, (_, at) => gauge(`m${at}`, [['1'], 1]));
  assert.is(own.measured('c', many) + own.measured('c', more), 20);
});

test('nothing but metrics passes as metrics', () => {
  const good = gauge('x', [['1'], 1]);
  const bad: readonly unknown[] = [
    null,
    'x',
    {},
    [null],
    ['text'],
    [{ ...good, name: 'a b' }],
    [{ ...good, name: 'x{module="other"} 1\ny' }],
    [{ ...good, kind: 'summary' }],
    [{ ...good, help: 'x'.repeat(201) }],
    [{ ...good, labels: ['module'] }],
    [{ ...good, labels: ['l', 'l'], series: [] }],
    [{ ...good, bounds: [1] }],
    [{ ...good, series: [[['1', '2'], 1]] }],
    [{ ...good, series: [[['1'], '1']] }],
    [{ ...good, series: [[['x'.repeat(129)], 1]] }],
    [{ ...good, kind: 'histogram', bounds: [1], series: [[['1'], { counts: [1], sum: 0 }]] }],
    [{ ...good, kind: 'histogram', bounds: [1], series: [[['1'], { counts: [1, -1], sum: 0 }]] }],
    Array(101).fill(good),
  ];
  for (const one of bad) assert.type(familiesProblem(one), 'string', JSON.stringify(one));
  assert.is(familiesProblem([good]), undefined);
});

test.run();
