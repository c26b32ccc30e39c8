import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { parseDurationMs, parseMomentMs } from '../../src/core/duration.ts';
import { logLineJson, logLineText, parseLogText, readLogText } from '../../src/core/log-text.ts';
import type { LogLine } from '../../src/core/summaries.ts';

const test = suite('log text and times');

const LINE = '[INF] [EdgeHub] - LogLine';
const TIME = '2019-02-14 16:15:35.243 -08:00';

test('spec/iotedge.md §17.1: lines as IoT Edge reads them', () => {
  const rows = [
    [`<3> ${TIME} ${LINE}`, 3, TIME, LINE],
    [`<6> ${TIME} ${LINE}`, 6, TIME, LINE],
    [` ${TIME} ${LINE}`, 6, TIME, LINE],
    [`<6> 2019-02-14 16:15:35.243 ${LINE}`, 6, undefined, `2019-02-14 16:15:35.243 ${LINE}`],
    [LINE, 6, undefined, LINE],
    [`2 2019-02-14 16:15:35 ${LINE}`, 6, undefined, `2 2019-02-14 16:15:35 ${LINE}`],
  ] as const;
  for (const [input, level, timestamp, text] of rows) {
    assert.equal(parseLogText(input), { level, timestamp, text }, input);
  }
  // The vector keeps the whole line here, and says it has a time: we say none, the text is the same.
  assert.is(parseLogText(`<6> ${TIME} `).level, 6);
});

const line = (text: string, change: Partial<LogLine> = {}): LogLine => ({
  atMs: Date.UTC(2024, 0, 1),
  module: 'm',
  level: 'info',
  text,
  ...change,
});

test('our lines in that form; one that is in it already stays as it is', () => {
  assert.is(logLineText(line('hot')), '<6> 2024-01-01 00:00:00.000 +00:00 [INF] - hot\n');
  assert.is(
    logLineText(line('hot', { level: 'error', fields: { at: 'pump 1' } })),
    '<3> 2024-01-01 00:00:00.000 +00:00 [ERR] - hot at="pump 1"\n',
  );
  assert.is(logLineText(line(`<4> ${TIME} ${LINE}`)), `<4> ${TIME} ${LINE}\n`);
  assert.is(readLogText(line(`<4> ${TIME} ${LINE}`)).level, 4);
  assert.is(logLineText(line('<b>')), '<6> 2024-01-01 00:00:00.000 +00:00 [INF] - <b>\n');
});

test('and as JSON', () => {
  const where = { hub: 'h.example', device: 'edge', id: 'm' };
  const common = { iothub: 'h.example', device: 'edge', id: 'm' };
  assert.equal(logLineJson(line('hot', { level: 'warn' }), where), {
    ...common,
    stream: 'stderr',
    loglevel: 4,
    text: 'hot',
    timestamp: '2024-01-01T00:00:00.000+00:00',
  });
  assert.equal(logLineJson(line(`<7> ${TIME} ${LINE}`), where), {
    ...common,
    stream: 'stdout',
    loglevel: 7,
    text: LINE,
    timestamp: '2019-02-14T16:15:35.243-08:00',
  });
});

test('durations as humantime reads them, and moments', () => {
  for (const [text, seconds] of [
    ['1d', 86_400],
    ['90m', 5_400],
    ['2 days 3 hours 2 minutes', 183_720],
    ['2h30m', 9_000],
    ['1week', 604_800],
    ['1M', 2_630_016],
    ['100ms', 0.1],
  ] as const) {
    assert.is(parseDurationMs(text), seconds * 1_000, text);
  }
  for (const text of ['', '1', 'd', '1x', '-1d', '1.5h', '1d,2h', '9'.repeat(200)]) {
    assert.is(parseDurationMs(text), undefined, text);
  }
  const now = Date.UTC(2024, 0, 2);
  for (const text of [
    '2024-01-01T00:00:00Z',
    '2024-01-01T01:00:00+01:00',
    '2024-01-01 00:00:00.000Z',
    '1704067200',
    '1d',
  ]) {
    assert.is(parseMomentMs(text, now), Date.UTC(2024, 0, 1), text);
  }
  for (const text of ['', 'yesterday', '2024-01-01', '2024-13-01T00:00:00Z', '01/02/2024']) {
    assert.is(parseMomentMs(text, now), undefined, text);
  }
});

test.run();
