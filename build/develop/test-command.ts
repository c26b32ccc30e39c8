/** `isolet test`: a module's samples run in a real isolate, and what came is compared with what they say. */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Arguments, Command } from '../../src/cli/command.ts';
import { Fault } from '../../src/core/fault.ts';
import { compileModule } from '../compile-module.ts';
import { openDeskHost } from './desk-host.ts';
import { moduleOptions, readDeskModule } from './desk-module.ts';
import { GRANT_HELP } from './grant-words.ts';
import { runSample, type SampleOutcome } from './run-sample.ts';
import { diffLines, fits, readSample, type SampleLine, type Step, stepsOf } from './samples.ts';

export const testCommand: Command = {
  name: 'test',
  words: '[FOLDER]',
  wordsMin: 0,
  wordsMax: 1,
  summary: `run a module's samples in an isolate, and compare what comes out

Runs each samples/*.jsonl of FOLDER (default: here) with a fresh module whose twin is twin.json. A sample
is what goes in and what comes out, a line of JSON each, in the order of things:

  {"input": "input1", "body": …, "properties": {…}}    in   a message
  {"desired": {…}}                                     in   a patch of the twin
  {"method": "reset", "payload": …}                    in   a direct method
  {"output": "alerts", "body": …, "properties": {…}}   out  a message it sends
  {"reported": {…}}                                    out  a patch of the twin
  {"status": 200, "payload": …}                        out  the method's answer

What comes of a line stands below it. "*" as a value fits anything, and so does a field left out.

${GRANT_HELP}`,
  options: {
    ...moduleOptions,
    write: { type: 'boolean', help: 'put what came into the samples' },
  },
  run: runTest,
};

type Sample = {
  readonly file: string;
  readonly name: string;
  readonly lines: readonly SampleLine[];
};

async function runTest(args: Arguments): Promise<number> {
  const module = readDeskModule(args.words[0] ?? '.', args);
  const samples = readSamples(module.source.folder);
  for (const sentence of module.missing) process.stderr.write(`${sentence}\n`);
  const [compiled, { host }] = await Promise.all([
    compileModule(module.source.folder, module.source.main),
    openDeskHost({ spareMs: 60_000 }, module.start.grants),
  ]);
  let failures = 0;
  try {
    for (const sample of samples) {
      const steps = stepsOf(sample.lines);
      const startedMs = performance.now();
      const outcome = await runSample(host, module, compiled, steps);
      if (args.flag('write')) write(sample, outcome);
      const text = explain(steps, outcome, args.flag('write'));
      const ms = Math.round(performance.now() - startedMs);
      if (text !== '') failures++;
      process.stdout.write(`${text === '' ? 'ok  ' : 'FAIL'} ${sample.name}  ${ms} ms\n${text}`);
    }
  } finally {
    await host.stop();
  }
  process.stdout.write(`${samples.length - failures} passed, ${failures} failed\n`);
  return failures === 0 ? 0 : 1;
}

/** Throws CONFIG_INVALID with every line that is none. */
function readSamples(folder: string): readonly Sample[] {
  const problems: string[] = [];
  const samples = globSync('samples/*.jsonl', { cwd: folder })
    .sort()
    .map((name) => {
      const file = join(folder, name);
      return { file, name, lines: readSample(readFileSync(file, 'utf8'), file, problems) };
    });
  if (samples.length === 0) {
    problems.push(
      `${folder} has no samples: write samples/first.jsonl with a line like {"input": "input1", "body": {"temperature": 30}}, then say isolet test --write`,
    );
  }
  if (problems.length > 0) throw new Fault('CONFIG_INVALID', problems.join('\n'));
  return samples;
}

/** Nothing when all is as it should be. */
function explain(steps: readonly Step[], outcome: SampleOutcome, isWritten: boolean): string {
  const lines: string[] = [];
  for (const [index, { given, expected }] of steps.entries()) {
    const diff = isWritten ? [] : diffLines(expected, outcome.came[index] ?? []);
    if (diff.every(({ mark }) => mark === ' ')) continue;
    lines.push(
      given === undefined ? '  at the start' : `  line ${given.number}: ${given.text.trim()}`,
    );
    lines.push(...diff.map(({ mark, text }) => `    ${mark} ${text}`));
  }
  lines.push(...outcome.problems.map((problem) => `  ${problem.replaceAll('\n', '\n  ')}`));
  if (lines.length === 0) return '';
  if (lines.some((line) => /^ {4}[-+]/.test(line))) lines.push('  - expected, + came');
  if (outcome.log.length > 0)
    lines.push('  its console:', ...outcome.log.map((one) => `    ${one}`));
  return `${lines.join('\n')}\n`;
}

/** Comments stay, and expected lines that fit (they may say "*"). */
function write({ file, lines }: Sample, { came }: SampleOutcome): void {
  const rest = came.map((one) => [...one]);
  const text: string[] = [];
  let step = 0;
  let expected: SampleLine[] = [];
  const flush = (): void => {
    for (const one of rest[step] ?? []) {
      const known = expected.find(({ value }) => fits(value, one));
      text.push(known?.text ?? JSON.stringify(one));
    }
    expected = [];
  };
  /** Comments, which go before what stands below them; those on top of the file before everything. */
  const pending: string[] = [];
  for (const line of lines) {
    if (line.kind === 'comment') pending.push(line.text);
    else if (line.kind === 'out') {
      if (expected.length === 0) text.push(...pending.splice(0));
      expected.push(line);
    } else {
      if (step === 0) text.push(...pending.splice(0));
      flush();
      text.push(...pending.splice(0), line.text);
      step++;
    }
  }
  flush();
  text.push(...pending);
  writeFileSync(file, `${text.join('\n')}\n`);
}
