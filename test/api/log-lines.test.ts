/** `GET /modules/<name>/logs` over real files: what was said, then what is being said. */
import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { type ApiSocket, openApiSocket } from '../../src/api/api-socket.ts';
import { apiResources } from '../../src/api-resources.ts';
import { LOG_SETTINGS } from '../../src/core/log-shelf.ts';
import type { LogLine } from '../../src/core/summaries.ts';
import { systemClock } from '../../src/lib/system-clock.ts';
import { createLogFolder } from '../../src/store/log-folder.ts';
import { createModuleLogs } from '../../src/supervisor/module-logs.ts';
import type { Supervisor } from '../../src/supervisor/supervisor.ts';
import { createFakeLog } from '../fakes/log.ts';
import { until, within } from '../fakes/within.ts';

const test = suite('log lines over the API');

const LIMIT_MS = 10_000;
const folder = mkdtempSync(join(tmpdir(), 'isolet-lines-'));
const socketPath = join(folder, 'api.sock');
const settings = {
  ...LOG_SETTINGS,
  fileBytesMax: 200_000,
  // A slow disk must not drop any: that is another test.
  pendingBytesMax: 50_000,
  freeBytesMin: 0,
};
const shelf = createLogFolder(join(folder, 'logs'), settings, systemClock);
const logs = createModuleLogs(shelf, systemClock, createFakeLog());
let api: ApiSocket;

test.before(async () => {
  shelf.open();
  const status = { names: () => ['m'] } as unknown as Supervisor['status'];
  const supervisor = { status, logs } as unknown as Supervisor;
  api = await openApiSocket(socketPath, apiResources(supervisor));
});

test.after(async () => {
  await api.close();
  await shelf.close();
  rmSync(folder, { recursive: true });
});

function follow(query: string): {
  readonly lines: string[];
  readonly ended: Promise<void>;
  stop(): void;
} {
  const lines: string[] = [];
  const asked = request({ socketPath, path: `/modules/m/logs?${query}` });
  const ended = new Promise<void>((resolve) => {
    asked.on('response', (response) => {
      const reader = createInterface({ input: response });
      reader.on('line', (line) => lines.push((JSON.parse(line) as LogLine).text));
      reader.on('close', resolve);
      reader.on('error', () => resolve());
    });
    asked.on('error', () => resolve());
  });
  asked.end();
  return { lines, ended, stop: () => void asked.destroy() };
}

test('each line once and in order, whenever a follower comes', async () => {
  const count = 3_000;
  const followers: ReturnType<typeof follow>[] = [];
  for (let index = 0; index < count; index++) {
    logs.append('m', index % 50 === 0 ? 'error' : 'info', `${index}`);
    if (index % 300 === 150) followers.push(follow('tail=40&follow=true'));
    if (index % 10 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  for (const { lines } of followers) {
    await until(LIMIT_MS, 'the last line', () => lines.at(-1) === `${count - 1}`);
    const first = Number(lines[0]);
    const expected = Array.from({ length: count - first }, (_, index) => `${first + index}`);
    assert.equal(lines, expected);
  }
  assert.ok(new Set(followers.map(({ lines }) => lines[0])).size > 5);
  for (const { stop } of followers) stop();
});

test('without --follow it ends', async () => {
  const all = follow('');
  await within(LIMIT_MS, 'the end', all.ended);
  assert.is(all.lines.at(-1), '2999');
  const some = follow('tail=2&loglevel=3');
  await within(LIMIT_MS, 'the end', some.ended);
  assert.equal(some.lines, ['2900', '2950']);
});

test.run();
