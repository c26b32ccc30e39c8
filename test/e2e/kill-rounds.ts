/**
 * Rounds of SIGKILL at moments drawn from a seed: the supervisor while it starts, under load or while
 * it stops, the module host alone, the hub. Real processes, SQLite, MQTT over TLS. One device lives
 * through all of them; what it was told and what came is the ledger's to judge (kill-ledger.ts).
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createServiceClient, type HubEvent } from '../../src/cli/cloud/service-client.ts';
import { until, within } from '../fakes/within.ts';
import { bundleSource, deployment, spec } from './device.ts';
import { createLedger, type Taken, type Verdict, type Victim } from './kill-ledger.ts';
import { COUNTER, PIPE, ROUTES, SINK } from './kill-modules.ts';
import { newFolder, type Started, start } from './programs.ts';

export type KillReport = Verdict & {
  readonly rounds: number;
  readonly seed: number;
  /** How often each was killed; `stops`: the supervisor had ended in good order before the kill came. */
  readonly kills: Readonly<Record<Victim | 'stops', number>>;
  /** Errors in the supervisors' logs, by their sentence; none is expected. */
  readonly errors: Readonly<Record<string, number>>;
  readonly kept: boolean;
  readonly tookMs: number;
};

const LIMIT_MS = 30_000;
/** What happens in a round, and how often of 100. */
const SHARES = { load: 38, start: 22, stop: 14, host: 13, hub: 13 } as const;
type RoundKind = keyof typeof SHARES;

/** Rejects when a program does not start, goes on or end as it must; else the report says what was broken. */
export async function runKillRounds(
  rounds: number,
  seed: number,
  say: (line: string) => void = () => {},
): Promise<KillReport> {
  const startedAt = performance.now();
  const random = createRandom(seed);
  const upTo = (ms: number): number => Math.floor(random() * ms);
  const ledger = createLedger();
  const kills: Record<Victim | 'stops', number> = { supervisor: 0, host: 0, hub: 0, stops: 0 };
  const errors: Record<string, number> = {};
  const folder = newFolder();

  // ------------------------------------------------------------------------------------ the hub
  let hub: Started | undefined = start('emulator', hubArgs(0));
  let awayRounds = 0;
  let sinceSeq = 0;
  const ready = JSON.parse(
    await until(LIMIT_MS, 'the hub', () => hub?.lines[0]),
  ) as HubAnnouncement;
  const client = createServiceClient({
    connectionString: ready.ownerConnectionString,
    caFile: ready.caFile,
  });
  let stream = watch();

  function hubArgs(port: number): string[] {
    return ['--data', join(folder, 'hub'), '--port', String(port), '--json'];
  }

  function watch(): { readonly stop: () => void; readonly ended: Promise<void> } {
    const since = { device: 'edge', module: 'pipe', since: String(sinceSeq) };
    const { stop, ended } = client.events(since, ({ seq, body, enqueuedTime }: HubEvent) => {
      sinceSeq = seq;
      ledger.arrived(JSON.parse(String(body)) as Taken, Date.parse(enqueuedTime));
    });
    // With the hub it ends; the next one goes on after the last event read.
    return { stop, ended: ended.catch(() => {}) };
  }

  async function startHub(): Promise<void> {
    awayRounds = 0;
    const started = start('emulator', hubArgs(ready.mqttPort));
    hub = started;
    await until(LIMIT_MS, 'the hub is back', () => started.lines[0] ?? refuseToEnd(started));
    stream = watch();
  }

  async function deploy(counterStatus: 'running' | 'stopped'): Promise<void> {
    await client.call('POST', '/devices/edge/applyConfigurationContent', {
      modulesContent: {
        $edgeAgent: {
          'properties.desired': deployment({
            counter: spec(images.counter, { status: counterStatus }),
            pipe: spec(images.pipe),
            sink: spec(images.sink),
          }),
        },
        $edgeHub: { 'properties.desired': { schemaVersion: '1.1', routes: ROUTES } },
      },
    });
  }

  // --------------------------------------------------------------------------------- the device
  const images = {
    counter: await bundleSource('counter', COUNTER),
    pipe: await bundleSource('pipe', PIPE),
    sink: await bundleSource('sink', SINK),
  };
  const { authentication } = (await client.call('PUT', '/devices/edge', {
    deviceId: 'edge',
    capabilities: { iotEdge: true },
  })) as { authentication: { symmetricKey: { primaryKey: string } } };
  const config = join(folder, 'device/config.toml');
  mkdirSync(join(folder, 'device'));
  writeFileSync(config, configText(ready, authentication.symmetricKey.primaryKey));
  await deploy('running');

  let supervisor: Started | undefined;
  let linesRead = 0;
  let ranOnce = false;
  /** The newest life of `counter` that was told something. */
  let newestRun = 0;
  let toldCount = 0;

  function startSupervisor(): Started {
    linesRead = 0;
    supervisor = start('supervisor', ['--config', config]);
    return supervisor;
  }

  /** Enters what the supervisor printed since the last look. Its last line may be cut by the kill. */
  function readLines(): void {
    const lines = supervisor?.lines ?? [];
    for (; linesRead < lines.length; linesRead++) {
      const line = lines[linesRead] as string;
      if (!line.endsWith('}')) continue;
      const { level, message, cause } = JSON.parse(line) as LogLine;
      // That a module went with the host we killed is no news.
      if (level === 'error' && cause !== 'host lost') errors[message] = (errors[message] ?? 0) + 1;
      if (message.startsWith('told ')) {
        const { run, number } = JSON.parse(message.slice(5)) as Taken;
        ledger.told(run, number);
        newestRun = Math.max(newestRun, run);
        toldCount++;
      } else if (message.startsWith('took ')) {
        ledger.local(JSON.parse(message.slice(5)) as Taken);
      }
    }
  }

  /** Until a life of `counter` begun after `afterMs` is told something from now on. */
  async function untilLoad(running: Started, afterMs = 0): Promise<void> {
    const before = toldCount;
    await until(LIMIT_MS, 'the modules run', () => {
      readLines();
      return (toldCount > before && newestRun > afterMs) || refuseToEnd(running);
    });
    ranOnce = true;
  }

  // ----------------------------------------------------------------------------------- a round
  async function kill(round: number, victim: Victim, program: Started): Promise<void> {
    refuseToEnd(program);
    const fromMs = Date.now();
    program.child.kill('SIGKILL');
    await within(LIMIT_MS, `the ${victim} dies`, program.ended);
    ledger.killed({ victim, round, fromMs, toMs: Date.now() });
    kills[victim]++;
  }

  async function killSupervisor(round: number, running: Started): Promise<void> {
    await kill(round, 'supervisor', running);
    readLines();
    supervisor = undefined;
  }

  /** SIGTERM, and SIGKILL while it stops, unless it was quicker. */
  async function killWhileStopping(round: number, running: Started): Promise<void> {
    refuseToEnd(running);
    running.child.kill('SIGTERM');
    const over = await Promise.race([running.ended, sleep(upTo(150)).then(() => 'not yet')]);
    if (over === 'not yet') return killSupervisor(round, running);
    if (over !== 0) throw new Error(`it stopped with ${over}: ${running.errors()}`);
    readLines();
    supervisor = undefined;
    kills.stops++;
  }

  async function killHost(round: number, running: Started): Promise<void> {
    // The round before may have killed one, too, and lines of that life still come in.
    let pid: number | undefined;
    await until(LIMIT_MS, 'the supervisor has a module host', () => {
      pid = hostOf(running.child.pid as number);
      return pid !== undefined || refuseToEnd(running);
    });
    if (pid === undefined) return;
    const host = pid;
    const fromMs = Date.now();
    process.kill(host, 'SIGKILL');
    await until(LIMIT_MS, 'the module host dies', () => !isAlive(host));
    const toMs = Date.now();
    ledger.killed({ victim: 'host', round, fromMs, toMs });
    kills.host++;
    // Usually a new one has to come; at times the supervisor is killed before that.
    if (random() < 0.7) await untilLoad(running, toMs);
  }

  async function killHub(round: number): Promise<void> {
    await kill(round, 'hub', hub as Started);
    await stream.ended;
    hub = undefined;
    awayRounds = upTo(4);
    if (awayRounds === 0) await startHub();
  }

  async function playRound(round: number): Promise<string> {
    if (hub === undefined && --awayRounds <= 0) await startHub();
    let kind = draw(random());
    const fresh = supervisor === undefined;
    const running = supervisor ?? startSupervisor();
    // Only a fresh one can be killed at its start, and before it ever ran it needs the hub.
    if ((kind === 'start' && !fresh) || (kind === 'hub' && (!ranOnce || hub === undefined))) {
      kind = 'load';
    }
    if (kind === 'start') {
      await sleep(upTo(1_000));
      await killSupervisor(round, running);
      return kind;
    }
    await untilLoad(running);
    await sleep(upTo(1_200));
    if (kind === 'load') await killSupervisor(round, running);
    else if (kind === 'stop') await killWhileStopping(round, running);
    else if (kind === 'host') await killHost(round, running);
    else await killHub(round);
    return kind;
  }

  // --------------------------------------------------------------------------------- the whole
  async function drain(): Promise<void> {
    if (hub === undefined) await startHub();
    const running = supervisor ?? startSupervisor();
    await untilLoad(running);
    await deploy('stopped');
    const counterEnded = (): boolean =>
      running.lines.some((line) => line.includes('"module ended","module":"counter"'));
    await until(LIMIT_MS, 'the counter stops', counterEnded);
    try {
      await until(60_000, 'everything told is there', () => {
        readLines();
        return ledger.open() === 0;
      });
    } catch {
      // The verdict says what is missing.
    }
    running.child.kill('SIGTERM');
    const code = await within(LIMIT_MS, 'the supervisor stops', running.ended);
    if (code !== 0) throw new Error(`the supervisor stopped with ${code}: ${running.errors()}`);
    readLines();
    // What the hub has the watcher gets; it is quiet when two looks a while apart see the same.
    for (let before = -1; before !== ledger.arrivals(); await sleep(500)) {
      before = ledger.arrivals();
    }
  }

  try {
    for (let round = 1; round <= rounds; round++) {
      const kind = await playRound(round);
      const where = hub === undefined ? ', no hub' : '';
      say(`${round} ${kind}${where}: ${toldCount} told, ${ledger.arrivals()} arrivals`);
    }
    await drain();
  } catch (cause) {
    const tail = supervisor?.lines.filter((line) => !/"(told|took) /.test(line)).slice(-20) ?? [];
    const words = `${(cause as Error).message}\n${tail.join('\n')}\n${supervisor?.errors() ?? ''}`;
    throw new Error(`seed ${seed}: ${words}`, { cause });
  } finally {
    stream.stop();
    supervisor?.child.kill('SIGKILL');
    hub?.child.kill('SIGKILL');
    await Promise.all([supervisor?.ended, hub?.ended]);
  }
  const verdict = ledger.verdict();
  const { missing, missingLocally, outOfOrder, unexplained } = verdict;
  const kept = missing + missingLocally + outOfOrder + unexplained === 0;
  if (kept) rmSync(folder, { recursive: true });
  else say(`the device and the hub are left in ${folder}`);
  const tookMs = Math.round(performance.now() - startedAt);
  return { rounds, seed, kills, ...verdict, errors, kept, tookMs };
}

type LogLine = { readonly level: string; readonly message: string; readonly cause?: unknown };

type HubAnnouncement = {
  readonly ownerConnectionString: string;
  readonly caFile: string;
  readonly mqttPort: number;
};

function configText({ caFile, mqttPort }: HubAnnouncement, key: string): string {
  return [
    `trust_bundle_cert = ${JSON.stringify(caFile)}`,
    '[provisioning]',
    'source = "manual"',
    `connection_string = "HostName=localhost:${mqttPort};DeviceId=edge;SharedAccessKey=${key}"`,
    '[isolet]',
    'data_dir = "."',
    // Its modules tell the ledger by their console, thousands of lines a second.
    '[isolet.module]',
    'log_lines_per_second = 1000000',
  ].join('\n');
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** Nobody but us may end a program. */
function refuseToEnd({ child, errors }: Started): undefined {
  if (child.exitCode === null && child.signalCode === null) return undefined;
  throw new Error(`it ended by itself with ${child.exitCode ?? child.signalCode}: ${errors()}`);
}

/** The living module host among a supervisor's children, if it has one now. */
function hostOf(supervisorPid: number): number | undefined {
  const children = readdirSync(`/proc/${supervisorPid}/task`)
    .map((task) => readFileSync(`/proc/${supervisorPid}/task/${task}/children`, 'utf8'))
    .flatMap((text) => text.split(' '))
    .filter((text) => text !== '')
    .map(Number);
  return children.find((pid) => isAlive(pid) && commandOf(pid).includes('host.cjs'));
}

/** The command line of a process; nothing when it is gone. */
function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** A zombie is dead. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

function draw(chance: number): RoundKind {
  let left = chance * 100;
  for (const [kind, share] of Object.entries(SHARES)) {
    left -= share;
    if (left < 0) return kind as RoundKind;
  }
  return 'load';
}

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
