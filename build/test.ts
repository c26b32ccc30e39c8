/**
 * Runs the tests: every `*.test.ts` below test/, or those whose path contains one of the words given.
 *
 *   node build/test.ts [--coverage] [word …]
 *
 * Each file runs in a process of its own (no shared state, a hang names its file) under a time
 * limit; ends with one plain line, `N passed, N failed, N skipped`.
 */
import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';

const FILE_LIMIT_MS = 180_000;
const LEAK_LIMIT_MS = 5_000;
const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const coverage = process.argv.includes('--coverage');

if (coverage && process.env['NODE_V8_COVERAGE'] === undefined) {
  const child = spawn(
    'c8',
    [
      '--all',
      '--include',
      'src/{core,supervisor}/**',
      // Types alone: nothing runs.
      '--exclude',
      'src/core/{ports,summaries}.ts',
      '--check-coverage',
      '--lines',
      '95',
      '--reporter',
      'text-summary',
      process.execPath,
      ...process.argv.slice(1),
    ],
    { stdio: 'inherit' },
  );
  child.on('exit', (code) => process.exit(code ?? 1));
} else {
  await runAll();
}

type Outcome = {
  file: string;
  ok: boolean;
  passed: number;
  total: number;
  skipped: number;
  text: string;
};

async function runAll(): Promise<void> {
  const files = globSync('test/**/*.test.ts')
    .filter((file) => words.length === 0 || words.some((word) => file.includes(word)))
    .sort();
  const outcomes: Outcome[] = [];
  const queue = [...files];
  const lanes = Array.from({ length: Math.min(availableParallelism(), 4) }, async () => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      const startedAt = performance.now();
      const outcome = await runFile(file);
      outcomes.push(outcome);
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      console.log(
        `${outcome.ok ? 'ok  ' : 'FAIL'} ${file} ${outcome.passed}/${outcome.total} ${seconds}s`,
      );
      if (!outcome.ok) console.log(outcome.text);
      for (const line of outcome.text.split('\n'))
        if (line.includes('skipped: needs')) console.log(`  ${line.trim()}`);
    }
  });
  await Promise.all(lanes);

  let passed = 0;
  let failed = 0;
  let skipped = 0;
  for (const outcome of outcomes) {
    passed += outcome.passed;
    skipped += outcome.skipped;
    // A file that dies before it reports any test is one failure, not none.
    if (!outcome.ok) failed += Math.max(1, outcome.total - outcome.passed - outcome.skipped);
  }
  console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
  process.exit(failed === 0 && passed > 0 ? 0 : 1);
}

function runFile(file: string): Promise<Outcome> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, ['--no-node-snapshot', file], {
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
    let text = '';
    // uvu has said its last word: what keeps the process alive now was left open.
    let leak: NodeJS.Timeout | undefined;
    child.stdout.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      if (!/^ {2}Duration:/m.test(text)) return;
      leak ??= setTimeout(() => {
        text += `\n${file} left something open that keeps its process alive`;
        killGroup();
      }, LEAK_LIMIT_MS);
    });
    child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
    const limit = setTimeout(() => {
      text += `\n${file} did not end within ${FILE_LIMIT_MS / 1000} s`;
      killGroup();
    }, FILE_LIMIT_MS);
    const killGroup = (): void => {
      try {
        process.kill(-(child.pid as number), 'SIGKILL');
      } catch {
        // The group is gone already.
      }
    };
    child.on('close', (code) => {
      clearTimeout(limit);
      clearTimeout(leak);
      killGroup();
      // uvu colours its summary only on a terminal, so plain patterns are enough.
      const total = Number(/Total:\s+(\d+)/.exec(text)?.[1] ?? 0);
      const passed = Number(/Passed:\s+(\d+)/.exec(text)?.[1] ?? 0);
      // A test that lacks a peer says so and returns: uvu takes that for a pass, we do not.
      const lacking = text.split('\n').filter((line) => line.includes('skipped: needs')).length;
      const skipped = Number(/Skipped:\s+(\d+)/.exec(text)?.[1] ?? 0) + lacking;
      const ok = code === 0 && passed > 0;
      resolve({ file, ok, passed: passed - lacking, total, skipped, text });
    });
  });
}
