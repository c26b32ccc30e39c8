/**
 * Runs tries to get out of an isolate. Each is a module of its own, beside one neighbour in one host; what it
 * got is compared with the nothing it should get, and afterwards the neighbour still answers, the host is
 * still the same process, and no secret of anybody's is in what came out.
 */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { suite, type Test } from 'uvu';
import * as assert from 'uvu/assert';
import { buildPrelude } from '../../../build/guest.ts';
import { guestPlugin } from '../../../build/guest-plugin.ts';
import type { GuestEvent } from '../../../src/core/guest-protocol.ts';
import type { EndingCause, Grants, ModuleHost, ModuleStart } from '../../../src/core/ports.ts';
import { createModuleHost } from '../../../src/host/module-host.ts';
import { systemClock } from '../../../src/lib/system-clock.ts';
import {
  endOf,
  granting,
  input,
  startNoting,
  startOf,
  type Told,
} from '../../contracts/module-host.ts';
import { createFakeLog, type LogEntry } from '../../fakes/log.ts';
import { until } from '../../fakes/within.ts';
import { guestPrograms } from '../contract-programs.ts';
import { tinyPrelude } from '../tiny-prelude.ts';

export type Try = {
  readonly name: string;
  /** What it would have gained. */
  readonly gains: string;
  /** The body of an async function of a module; what it returns is its loot. */
  readonly code: string;
  /** What it gets, which is nothing of worth. */
  readonly gets?: unknown;
  /** It ends the module instead. */
  readonly ends?: { readonly cause: EndingCause; readonly reason: RegExp };
  /** `code` is the whole module. */
  readonly whole?: boolean;
  /** Posted when it has started; one input by default. */
  readonly events?: readonly GuestEvent[];
  readonly start?: Partial<ModuleStart>;
  /** Looks at all it told. */
  readonly check?: (told: Told) => void;
};

export type Ground = {
  host: ModuleHost;
  neighbour: Told;
  folder: string;
  log: { readonly entries: readonly LogEntry[] };
};

const LIMIT_MS = 10_000;
const root = fileURLToPath(new URL('../../..', import.meta.url));

/** One in the supervisor's environment, in a file nobody was granted, in the neighbour's environment, code and files. */
export const canaries = {
  supervisor: 'canary-in-the-environment-of-the-supervisor',
  outside: 'canary-in-a-file-outside',
  env: 'canary-in-the-environment-of-the-neighbour',
  code: 'canary-in-the-code-of-the-neighbour',
  file: 'canary-in-a-file-of-the-neighbour',
} as const;
process.env['ISOLET_CANARY'] = canaries.supervisor;

/** What no module may ever read: secrets, and where on the device the runtime lives. */
const secrets: readonly string[] = [
  ...Object.values(canaries),
  root,
  process.execPath,
  'node:internal',
];

/**
 * Before each try: `say` and what it needs are kept out of reach of what the try poisons. `host(value)`
 * tells what the constructor of a value's constructor finds under a name only Node has.
 */
const TOOLS = `
const { stringify: $stringify } = JSON;
const host = (value) => {
  try { return typeof value.constructor.constructor('return process.binding ?? require')(); }
  catch (error) { return error.name; }
};
const $run = async (attempt) => {
  let got;
  try { got = await attempt(); } catch (error) { got = { threw: error?.name + ': ' + error?.message }; }
  $say(got);
};
`;
const RAW_TOOLS = `
const $out = isolet.rawOutbox;
const $say = (value) => $out('[{"t":"log","level":"info","text":' + $stringify('got ' + ($stringify(value) ?? 'undefined')) + '}]', undefined, '', -1);
const $waiting = new Map();
isolet.onHost((event) => $waiting.get(event.call)?.(event.error?.code ?? event.value));
const file = (t, path, text) => new Promise((resolve) => {
  const call = $waiting.size + 1;
  $waiting.set(call, resolve);
  isolet.host([{ t, call, path, ...(text === undefined ? {} : { text }) }]);
});
const event = () => new Promise((resolve) => isolet.on((events, bytes) => resolve({ events, bytes })));
`;
const SDK_TOOLS = `
const seam = globalThis[Symbol.for('isolet.treaty.1')];
const { request: $request } = seam;
const $say = (value) => $request({ t: 'log', level: 'info', text: 'got ' + ($stringify(value) ?? 'undefined') });
`;

/** The whole SDK as globals, and the same client for the neighbour's echo. */
const SDK = `
import * as device from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
import * as files from 'node:fs/promises';
Object.assign(globalThis, { sdk: { ...device, Mqtt, files } });
`;
const SDK_ECHO = `
import { Message, ModuleClient } from 'azure-iot-device';
import { Mqtt } from 'azure-iot-device-mqtt';
const client = await ModuleClient.fromEnvironment(Mqtt);
client.on('inputMessage', (name, message) => {
  void client.sendOutputEvent('echo', new Message(message.getBytes()));
});
`;

async function bundle(source: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, sourcefile: 'main.mjs', resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    mainFields: ['main'],
    target: 'es2024',
    plugins: [guestPlugin],
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

/** `raw`: the tiny prelude, with the outbox itself in hand. `sdk`: what real modules have. */
export type Kind = 'raw' | 'sdk';

const ready: Promise<{ prelude: string; sdk: string; echo: string }> = (async () => {
  const [prelude, sdk, echo] = await Promise.all([buildPrelude(), bundle(SDK), bundle(SDK_ECHO)]);
  return { prelude, sdk, echo };
})();

const hidden = `const hidden = '${canaries.code}'; globalThis.hidden = hidden;\n`;

/** A host with its neighbour in it, and files: `data` and `out` to grant, `outside` and `theirs` not. */
async function openGround(kind: Kind): Promise<Ground> {
  const { prelude, echo } = await ready;
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'isolet-escape-')));
  for (const name of ['data', 'data2', 'out', 'outside', 'theirs']) mkdirSync(join(folder, name));
  writeFileSync(join(folder, 'data/a.txt'), 'granted');
  writeFileSync(join(folder, 'data2/b.txt'), canaries.outside);
  writeFileSync(join(folder, 'outside/secret'), canaries.outside);
  writeFileSync(join(folder, 'theirs/secret'), canaries.file);
  const log = createFakeLog();
  const host = createModuleHost({
    hostMain: join(root, 'src/host/main.ts'),
    prelude: kind === 'raw' ? tinyPrelude : prelude,
    clock: systemClock,
    log,
  });
  const theirs = granting({
    binds: [{ source: join(folder, 'theirs'), target: '/theirs', writable: true }],
  });
  const neighbour = startNoting(host, {
    module: 'neighbour',
    code: hidden + (kind === 'raw' ? guestPrograms.echo : echo),
    env: { SECRET: canaries.env },
    grants: theirs,
    groupGrants: [theirs, grantsIn(folder)],
  });
  await startOf(neighbour);
  return { host, neighbour, folder, log };
}

/** What a spy is granted. */
export function grantsIn(folder: string): Grants {
  const binds = [
    { source: join(folder, 'data'), target: '/data', writable: false },
    { source: join(folder, 'out'), target: '/out', writable: true },
  ];
  return granting({ binds });
}

async function closeGround({ host, folder }: Ground): Promise<void> {
  await host.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** A suite of the tries; more tests may be added to it. */
export function tryAll(theme: string, kind: Kind, tries: readonly Try[]): Test<Ground> {
  const test = suite<Ground>(`escape: ${theme}`);
  test.before(async (ground) => void Object.assign(ground, await openGround(kind)));
  test.after(closeGround);
  for (const one of tries) test(one.name, (ground) => attempt(ground, kind, one));
  return test;
}

async function attempt(ground: Ground, kind: Kind, one: Try): Promise<void> {
  const { host, folder } = ground;
  const pid = host.processes()['shared'];
  const told = startNoting(host, {
    module: 'spy',
    code: one.whole === true ? one.code : await program(kind, one.code),
    env: { OWN: 'own' },
    grants: grantsIn(folder),
    ...one.start,
  });
  if (one.ends === undefined) {
    await startOf(told);
    const events = one.events ?? [input(1, 'hello')];
    told.running.post(
      events,
      events.map(() => undefined),
    );
    const got = await until(LIMIT_MS, 'it says what it got, or ends', () => {
      return lootOf(told) ?? told.endings[0]?.reason;
    });
    assert.equal(told.endings, [], 'it did not end');
    assert.equal(JSON.parse(got === 'undefined' ? 'null' : got), one.gets ?? null, one.gains);
    one.check?.(told);
    await told.running.stop();
  } else {
    // Some only go wrong with their first event.
    told.running.post([input(1, 'hello')], [undefined]);
    const { cause, reason } = await endOf(told);
    assert.is(cause, one.ends.cause, reason);
    assert.match(reason, one.ends.reason);
    one.check?.(told);
  }
  assert.is(host.processes()['shared'], pid, 'the host is still the same process');
  assert.is(secretIn(told), undefined, 'a secret came out');
  assert.equal(
    ground.log.entries.filter(({ level }) => level === 'error'),
    [],
    'nobody complains of the host',
  );
  assert.is(({} as Record<string, unknown>)['polluted'], undefined, 'our own objects are clean');
  await stillEchoes(ground);
}

async function program(kind: Kind, code: string): Promise<string> {
  const { sdk } = await ready;
  const attempt = `await $run(async () => {\n${code}\n});`;
  if (kind === 'raw') return `${TOOLS}${RAW_TOOLS}${attempt}`;
  // The bundle's own names stay outside.
  return `${sdk}\n{\n${TOOLS}${SDK_TOOLS}${attempt}\n}`;
}

/** JSON of what the try got; undefined before it has said. */
function lootOf(told: Told): string | undefined {
  for (const one of told.requests)
    if (one.t === 'log' && one.text.startsWith('got ')) return one.text.slice(4);
  return undefined;
}

/** The first secret in what a module told. */
export function secretIn(told: Pick<Told, 'requests' | 'bodies' | 'endings'>): string | undefined {
  const bodies = told.bodies.map((body) => body && Buffer.from(body).toString());
  const everything = JSON.stringify([told.requests, bodies, told.endings]);
  return secrets.find((secret) => everything.includes(secret));
}

/** The neighbour takes a message and gives it back as it was. */
export async function stillEchoes({ neighbour }: Pick<Ground, 'neighbour'>): Promise<void> {
  const before = neighbour.requests.length;
  const id = before + 1;
  neighbour.running.post([input(id, `there, ${id}?`)], [undefined]);
  await until(LIMIT_MS, 'the neighbour answers', () => {
    const since = neighbour.requests.slice(before);
    const bodies = neighbour.bodies
      .slice(before)
      .map((body) => body && Buffer.from(body).toString());
    return (
      since.some((one) => one.t === 'ack' && one.ids.includes(id)) &&
      bodies.includes(`there, ${id}?`)
    );
  });
  assert.is(neighbour.endings.length, 0);
}
