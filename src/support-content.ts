/** What goes into a support bundle: IoT Edge's files as far as there are any here, and no secrets. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { arch, freemem, loadavg, networkInterfaces, release, totalmem, uptime } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'smol-toml';
import type { Json, JsonObject } from './core/json.ts';
import { selectLines } from './core/log-query.ts';
import { AGENT_LOG, HUB_LOG, type LogShelf } from './core/log-shelf.ts';
import { logLineText } from './core/log-text.ts';
import { prometheusText } from './core/own-metrics.ts';
import { textWithoutSecrets, withoutSecrets } from './core/without-secrets.ts';
import { asBytes } from './lib/text.ts';
import { type ZipEntry, zip } from './lib/zip.ts';
import type { BundleWish } from './supervisor/agent-methods.ts';
import type { Supervisor } from './supervisor/supervisor.ts';
import { VERSION } from './version.ts';

declare const ISOLET_DIST: boolean | undefined;
const bundled = typeof ISOLET_DIST !== 'undefined';

export type SupportParts = {
  readonly configFile: string;
  readonly logs: Pick<LogShelf, 'read' | 'modules'>;
  /** Undefined when it does not run: then there is less to tell. */
  readonly supervisor: Supervisor | undefined;
};

const CHECK_MS = 30_000;
const DAY_MS = 86_400_000;

/** The archive, as it is made. `wish.sinceMs` undefined = of the last day, as `iotedge support-bundle`. */
export function supportBundle(
  parts: SupportParts,
  wish: BundleWish,
  now: Date,
): AsyncIterable<Uint8Array> {
  return zip(entries(parts, { ...wish, sinceMs: wish.sinceMs ?? now.getTime() - DAY_MS }), now);
}

async function* entries(parts: SupportParts, wish: BundleWish): AsyncIterable<ZipEntry> {
  yield text('check.json', await runCheck(parts.configFile));
  yield json('versions.json', machine());
  yield text('config.toml', configText(parts.configFile));
  yield json('network/interfaces.json', interfaces());
  if (parts.supervisor !== undefined) yield* live(parts.supervisor);
  const own: readonly string[] = [AGENT_LOG, HUB_LOG];
  const modules = wish.runtimeOnly ? [] : await parts.logs.modules();
  for (const module of [...own, ...modules.filter((name) => !own.includes(name))]) {
    yield {
      name: `logs/${module.replace('$', '')}_log.txt`,
      content: logText(parts.logs, module, wish),
    };
  }
}

async function* live(supervisor: Supervisor): AsyncIterable<ZipEntry> {
  const { status, ownMetrics } = supervisor;
  yield json('status.json', status.runtime());
  const modules = status.modules();
  yield json('modules.json', modules);
  for (const { name, ...summary } of modules) {
    const deployed = supervisor.settings(name) ?? {};
    yield json(`inspect/${name}.json`, { name, ...deployed, state: summary });
    yield json(`meter/${name}.json`, status.history(name) ?? null);
  }
  for (const identity of [AGENT_LOG, HUB_LOG]) {
    yield json(`twins/${identity.replace('$', '')}.json`, supervisor.twin(identity));
  }
  yield text('metrics.txt', prometheusText(ownMetrics.all()));
}

async function* logText(
  logs: SupportParts['logs'],
  module: string,
  wish: BundleWish,
): AsyncIterable<Uint8Array> {
  const { sinceMs, untilMs } = wish;
  for await (const part of selectLines((order) => logs.read(module, order), { sinceMs, untilMs })) {
    yield asBytes(textWithoutSecrets(part.map(logLineText).join('')));
  }
}

/** As its owner would see it, in a process of its own: it loads what the supervisor has no use for. */
function runCheck(configFile: string): Promise<string> {
  const program = fileURLToPath(new URL(bundled ? './check.js' : './check.ts', import.meta.url));
  const argv = ['--no-node-snapshot', program, '--json', '--config', configFile];
  return new Promise((resolve) => {
    execFile(process.execPath, argv, { timeout: CHECK_MS }, (cause, stdout, stderr) => {
      // It ends with 1 when it has found something wrong, and says what.
      const problem = stderr.trim() || cause?.message || 'it said nothing';
      resolve(stdout.trim() || JSON.stringify({ ok: false, problem }));
    });
  });
}

function machine(): JsonObject {
  const { node, v8 } = process.versions;
  return {
    isolet: VERSION,
    node: node as string,
    v8: v8 as string,
    architecture: arch(),
    kernel: release(),
    model: modelOf(),
    uptimeS: Math.round(uptime()),
    load: loadavg(),
    memoryBytes: { total: totalmem(), free: freemem() },
  };
}

/** Boards say what they are; others do not have the file. */
function modelOf(): string {
  try {
    return readFileSync('/proc/device-tree/model', 'utf8').replaceAll('\0', '').trim();
  } catch {
    return '';
  }
}

function interfaces(): JsonObject {
  const all = Object.entries(networkInterfaces()).map(([name, addresses = []]): [string, Json] => [
    name,
    addresses.map(({ cidr, internal }) => ({ cidr, internal })),
  ]);
  return Object.fromEntries(all);
}

/** Its comments are not in it: they may say anything. */
function configText(file: string): string {
  try {
    return stringify(withoutSecrets(parse(readFileSync(file, 'utf8')) as JsonObject));
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    return `# it cannot be read (${code ?? 'it is not valid TOML'})\n`;
  }
}

function json(name: string, value: unknown): ZipEntry {
  const plain = JSON.parse(JSON.stringify(value)) as Json;
  return text(name, `${JSON.stringify(withoutSecrets(plain), null, 2)}\n`);
}

function text(name: string, content: string): ZipEntry {
  return { name, content: once(textWithoutSecrets(content)) };
}

async function* once(content: string): AsyncIterable<Uint8Array> {
  yield asBytes(content);
}
