/**
 * From the save of a module's source to its new version running, in `isolet dev`; and from the start of
 * `isolet exec` to its end, for an empty file. The peer of the first is Node's own `node --watch`.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { programCommand } from '../../src/cli/program-files.ts';
import { counter, type Started, startProgram, writeFiles } from '../develop/desk-kit.ts';
import { type Bench, openBench, ratio } from './parts/report.ts';

const bench: Bench<'runs'> = openBench('dev', { runs: 20 });
const { runs } = bench.settings;
const folder = mkdtempSync(join(tmpdir(), 'isolet-bench-dev-'));
const manifest = JSON.stringify({ name: 'counter', version: '1.0.0', main: 'src/main.ts' });
writeFiles(folder, {
  'package.json': manifest,
  'src/main.ts': counter('first'),
  'empty.js': '',
  'plain.mjs': "console.log('version first is up');\n",
});

const ours = startProgram(folder, [...programCommand('develop').argv, 'dev']);
const peer = startProgram(folder, ['--watch', 'plain.mjs']);
const saves = { ours: [] as number[], peer: [] as number[] };
try {
  await ours.sees(/version first is up/);
  await peer.sees(/version first is up/);
  for (let run = -1; run < runs; run++) {
    const version = `v${run + 1}`;
    const own = await save(ours, 'src/main.ts', counter(version), version);
    const others = await save(
      peer,
      'plain.mjs',
      `console.log('version ${version} is up');\n`,
      version,
    );
    if (run === -1) continue; // Warm.
    saves.ours.push(own);
    saves.peer.push(others);
  }
} finally {
  ours.child.kill('SIGKILL');
  peer.child.kill('SIGKILL');
}
const isolet = bench.row('save → its first line, isolet dev', 'ms', saves.ours);
const watch = bench.row('save → its first line, node --watch', 'ms', saves.peer);

const starts: number[] = [];
for (let run = 0; run < runs; run++) {
  const began = performance.now();
  const words = programCommand('develop').argv;
  const child = spawn(process.execPath, [...words, 'exec', 'empty.js'], {
    cwd: folder,
    stdio: 'ignore',
  });
  await new Promise((resolve) => child.on('close', resolve));
  starts.push(performance.now() - began);
}
bench.row('an empty file from start to end, isolet exec', 'ms', starts);
rmSync(folder, { recursive: true });
bench.end({
  isolet,
  peer: watch,
  against: `node --watch ${process.version}`,
  ratio: ratio(watch.median, isolet.median),
});

async function save(it: Started, file: string, text: string, version: string): Promise<number> {
  const began = performance.now();
  writeFileSync(join(folder, file), text);
  await it.sees(new RegExp(`version ${version} is up`));
  return performance.now() - began;
}
