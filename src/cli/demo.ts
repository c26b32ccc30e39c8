/**
 * `isolet demo`: a hub, a device and three modules on this machine, end to end, each part in its own
 * process as in real life. A setting is changed in a twin again and again, and one sees what it does.
 */
import { accessSync, constants, mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Fault } from '../core/fault.ts';
import type { Json, JsonObject } from '../core/json.ts';
import { DEMO_DEVICE } from './cloud/login.ts';
import { deploymentPath, twinPath } from './cloud/paths.ts';
import type { ServiceClient } from './cloud/service-client.ts';
import type { Arguments, Command } from './command.ts';
import { type Display, jsonDisplay, textDisplay } from './demo/display.ts';
import { type DemoHub, provisionDevice, startHub } from './demo/hub.ts';
import { type Keeper, keepSupervisor } from './demo/keeper.ts';
import { createVerdict, FILTER, THRESHOLD, type Verdict } from './demo/verdict.ts';
import { watchHub } from './demo/watch.ts';
import { distFolder } from './program-files.ts';

const CHANGE_MS = 10_000;
const THRESHOLD_LOW = 25;
/** No machine gets this hot: the alerts stop. */
const THRESHOLD_HIGH = 150;

export const demo: Command = {
  name: 'demo',
  words: '',
  wordsMin: 0,
  wordsMax: 0,
  summary: `a hub, a device and three modules on this machine

Prints what the hub receives, and changes a setting in a module's twin every ten seconds.
Ctrl-C ends it; the next start goes on from its data folder.`,
  options: {
    seconds: { type: 'string', value: 'N', help: 'end after N seconds and say whether it worked' },
    data: { type: 'string', value: 'DIR', help: 'where it keeps its data (default .isolet)' },
    port: { type: 'string', value: 'N', help: "the hub's port (default 8883, 0 = any free one)" },
    json: { type: 'boolean', help: 'every line is JSON, the last one the summary' },
  },
  run: runDemo,
};

async function runDemo(args: Arguments): Promise<number> {
  const display = args.flag('json') ? jsonDisplay() : textDisplay();
  const seconds = args.count('seconds', 0);
  const folder = prepareFolder(resolve(args.text('data') ?? '.isolet'));
  const deployment = readDeployment();
  const interrupted = signal();

  // Undone in reverse, however we leave.
  const started: (() => void | Promise<void>)[] = [];
  try {
    const hub = await startHub(folder, args.count('port', 8883));
    started.push(hub.child.stop);
    const { client } = hub;
    await provisionDevice(hub, folder);
    await client.call('POST', deploymentPath(DEMO_DEVICE), deployment);
    const modules = moduleNames(deployment);
    display.say(
      `The hub serves at ${client.hostName}. ${DEMO_DEVICE} is to run ${modules.join(', ')}.`,
    );

    const verdict = createVerdict(THRESHOLD_LOW);
    let startedAtMs = performance.now();
    let firstMessageMs: number | undefined;
    const watch = await watchHub(client, (event) => {
      firstMessageMs ??= Math.round(performance.now() - startedAtMs);
      verdict.event(event, performance.now());
      display.event(event);
    });
    started.push(watch.stop);
    startedAtMs = performance.now();
    const keeper: Keeper = keepSupervisor(folder, display);
    started.push(keeper.stop);
    started.push(changeThreshold(client, display, verdict, seconds * 1000));

    const timed = await Promise.race([interrupted, after(seconds), keeper.gaveUp, hubGone(hub)]);
    const memory = keeper.memory();
    const problems = timed ? verdict.problems(performance.now()) : [];
    display.say('Stopping.');
    await undo(started);
    const summary = {
      received: verdict.received(),
      modules: modules.length,
      firstMessageMs,
      ...memory,
      ...(problems.length > 0 ? { problems } : {}),
    };
    display.summary(summary, sentence(summary));
    if (problems.length > 0) process.stderr.write(`isolet demo: ${problems.join('; ')}\n`);
    return problems.length === 0 ? 0 : 1;
  } finally {
    await undo(started);
  }
}

async function undo(started: (() => void | Promise<void>)[]): Promise<void> {
  for (let stop = started.pop(); stop !== undefined; stop = started.pop()) await stop();
}

async function hubGone(hub: DemoHub): Promise<never> {
  const { errors } = await hub.child.ended;
  throw new Fault('UPSTREAM_AWAY', `the hub ended${errors === '' ? '' : `: ${errors}`}`);
}

/** Turns the filter's threshold up and down, and prints a line each second. */
function changeThreshold(
  client: ServiceClient,
  display: Display,
  verdict: Verdict,
  limitMs: number,
): () => void {
  let threshold = THRESHOLD_LOW;
  const everyMs = limitMs > 0 ? Math.min(CHANGE_MS, limitMs / 2) : CHANGE_MS;
  const ticks = setInterval(
    () => display.tick(verdict.rate(performance.now(), 1_000), threshold),
    1_000,
  );
  const changes = setInterval(() => {
    const before = threshold;
    threshold = before === THRESHOLD_LOW ? THRESHOLD_HIGH : THRESHOLD_LOW;
    const desired: Json = { [THRESHOLD]: threshold };
    client.call('PATCH', twinPath(DEMO_DEVICE, FILTER), { properties: { desired } }).then(
      () => {
        verdict.changed(before, threshold, performance.now());
        display.say(
          `The hub sets ${THRESHOLD} of ${FILTER} to ${threshold}: alerts ${threshold === THRESHOLD_HIGH ? 'stop' : 'come again'}.`,
          { threshold },
        );
      },
      (cause: unknown) => display.say(`The twin could not be changed: ${(cause as Error).message}`),
    );
  }, everyMs);
  return () => {
    clearInterval(ticks);
    clearInterval(changes);
  };
}

/** Resolves false at the first Ctrl-C or SIGTERM; a second one ends us at once. */
function signal(): Promise<boolean> {
  return new Promise((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) {
      process.once(name, () => {
        resolve(false);
        process.once(name, () => process.exit(130));
      });
    }
  });
}

/** Resolves true after so many seconds; never for 0. */
function after(seconds: number): Promise<boolean> {
  return new Promise((resolve) => {
    if (seconds > 0) setTimeout(() => resolve(true), seconds * 1000).unref();
  });
}

function prepareFolder(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    accessSync(folder, constants.W_OK);
    return folder;
  } catch (cause) {
    throw new Fault(
      'DATA_FOLDER_UNUSABLE',
      `the data folder ${folder} cannot be written (${(cause as NodeJS.ErrnoException).code}): name another with --data`,
      { cause },
    );
  }
}

function readDeployment(): JsonObject {
  const file = join(distFolder(), 'deployment.json');
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as JsonObject;
  } catch (cause) {
    throw new Fault(
      'MANIFEST_INVALID',
      `the demo's deployment ${file} cannot be read: run "npm run build" first`,
      { cause },
    );
  }
}

function moduleNames(deployment: JsonObject): readonly string[] {
  const content = deployment['modulesContent'] as Record<string, Record<string, JsonObject>>;
  const agent = content['$edgeAgent']?.['properties.desired'];
  return Object.keys((agent?.['modules'] as JsonObject | undefined) ?? {});
}

function sentence(summary: {
  readonly received: Readonly<Record<string, number>>;
  readonly firstMessageMs: number | undefined;
  readonly supervisorPssMb: number | undefined;
  readonly hostPssMb: number | undefined;
}): string {
  const counts = Object.entries(summary.received).map(([module, count]) => `${count} of ${module}`);
  return [
    `The hub received ${counts.length === 0 ? 'nothing' : counts.join(', ')}.`,
    `First message ${summary.firstMessageMs ?? '–'} ms after the start;`,
    `memory: supervisor ${summary.supervisorPssMb ?? '–'} MB, module host ${summary.hostPssMb ?? '–'} MB (PSS).`,
  ].join(' ');
}
