/** What a module may use, out of createOptions: Docker's CPU fields and our labels. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readCreateOptions } from '../../src/core/create-options.ts';
import { limitLabels, readLimits } from '../../src/core/create-options-limits.ts';
import type { Json, JsonObject } from '../../src/core/json.ts';

const test = suite('create options: limits');

function read(options: JsonObject) {
  const problems: string[] = [];
  return { limits: readLimits(options, 'o', problems), problems };
}

test('CPU time as Docker computes it', () => {
  for (const [HostConfig, cpuShare] of [
    [{ NanoCpus: 500_000_000 }, 0.5],
    [{ NanoCpus: 2_000_000_000 }, 2],
    [{ CpuQuota: 50_000 }, 0.5],
    [{ CpuQuota: 5_000, CpuPeriod: 10_000 }, 0.5],
    [{ CpuQuota: -1 }, undefined],
    [{ CpuQuota: 0, NanoCpus: 0, CpuPeriod: 0 }, undefined],
    [{ CpuPeriod: 10_000 }, undefined],
    [{ NanoCpus: null }, undefined],
  ] as const) {
    const { limits, problems } = read({ HostConfig });
    assert.equal([limits.cpuShare, problems], [cpuShare, []], JSON.stringify(HostConfig));
  }
});

test('labels of ours are limits, those of others are nobody’s business', () => {
  const { limits, problems } = read({
    Labels: {
      'isolet.messages_per_second': '1000',
      'isolet.log_lines_per_second': '50',
      'isolet.outstanding_requests': '10',
      'isolet.turn_ms': '500',
      'isolet.start_ms': '9000',
      'isolet.storage_bytes': '1048576',
      'com.example.owner': 'me',
      isolet: 'x',
    },
  });
  assert.equal(problems, []);
  assert.equal(limits, {
    messagesPerSecond: 1_000,
    logLinesPerSecond: 50,
    outstandingRequestsMax: 10,
    turnMs: 500,
    startMs: 9_000,
    storageBytesMax: 1_048_576,
  });
});

test('nonsense is refused with its path and the remedy, all at once', () => {
  const { problems, limits } = read({
    HostConfig: { NanoCpus: 1, CpuQuota: 5, CpuPeriod: 1.5 },
    Labels: {
      'isolet.turn_ms': '0',
      'isolet.start_ms': 500,
      'isolet.mesages_per_second': '5',
      'isolet.colour': 'blue',
      'isolet.outstanding_requests': '99999',
    },
  });
  const expected = [
    /^o\.Labels\["isolet\.turn_ms"\] must be a whole number from 1 to 600000 as text, it is "0"$/,
    /^o\.Labels\["isolet\.start_ms"\] must be .* it is 500$/,
    /^o\.Labels\["isolet\.mesages_per_second"\] .*did you mean isolet\.messages_per_second\?$/,
    /^o\.Labels\["isolet\.colour"\] is no label there is$/,
    /^o\.Labels\["isolet\.outstanding_requests"\] .* to 32768 /,
    /^o\.HostConfig\.NanoCpus must be .* 10000000 at least, it is 1$/,
    /^o\.HostConfig\.CpuQuota must be .* it is 5$/,
    /^o\.HostConfig\.CpuPeriod must be .* it is 1\.5$/,
  ];
  assert.is(problems.length, expected.length, problems.join('\n'));
  for (const pattern of expected) {
    assert.ok(
      problems.some((problem) => pattern.test(problem)),
      `${pattern} in\n${problems.join('\n')}`,
    );
  }
  assert.equal(limits, {});
  assert.match(
    read({ HostConfig: { NanoCpus: 1e9, CpuQuota: 50_000 } }).problems[0] as string,
    /leave one of them out/,
  );
  assert.match(read({ Labels: ['x'] }).problems[0] as string, /must be an object/);
});

test('they are part of a module’s settings, and nothing of them is unhonoured', () => {
  const settings = readCreateOptions(
    {
      Labels: { 'isolet.turn_ms': '500', other: '1' },
      HostConfig: { CpuQuota: 20_000, CpuPeriod: 100_000 },
    },
    'o',
  );
  assert.equal(settings.limits, { turnMs: 500, cpuShare: 0.2 });
  assert.equal([settings.unhonoured, settings.problems], [[], []]);
});

test('any JSON is an answer: a limit that is none is a problem, never a number', () => {
  const labels = fc.dictionary(
    fc.constantFrom(...Object.keys(limitLabels), 'isolet.x', 'y'),
    fc.oneof(fc.jsonValue(), fc.string(), fc.integer().map(String)),
  );
  const host = fc.dictionary(
    fc.constantFrom('NanoCpus', 'CpuQuota', 'CpuPeriod'),
    fc.oneof(fc.jsonValue(), fc.integer()),
  );
  fc.assert(
    fc.property(labels, host, (Labels, HostConfig) => {
      const { limits, problems } = read({ Labels, HostConfig } as Readonly<Record<string, Json>>);
      for (const value of Object.values(limits)) assert.ok(Number.isFinite(value) && value > 0);
      for (const problem of problems) assert.match(problem, /^o\.(Labels|HostConfig)/);
    }),
  );
});

test('docs/limits.md has a row for every label', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/limits.md'), 'utf8');
  const documented = [...text.matchAll(/`(isolet\.[a-z]+_[a-z_]+)`/g)].map((match) => match[1]);
  assert.equal([...new Set(documented)].sort(), Object.keys(limitLabels).sort());
});

test.run();
