/** A module that fetches what the test tells it to, in a real host, and the servers it may try. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bundleModule } from '../../build/bundle.ts';
import { buildPrelude } from '../../build/guest.ts';
import { unpackBundle } from '../../src/artifacts/bundle-archive.ts';
import { readCreateOptions } from '../../src/core/create-options.ts';
import type { JsonObject } from '../../src/core/json.ts';
import type { Grants, ModuleHost } from '../../src/core/ports.ts';
import type { HostSettings } from '../../src/host/host-settings.ts';
import { startNoting } from '../contracts/module-host.ts';
import { until } from '../fakes/within.ts';
import { createTestHost } from './real-host.ts';

const LIMIT_MS = 20_000;

/** What one run of code in the module came to. */
export type Outcome = { readonly value?: unknown; readonly error?: string; readonly code?: string };

/** Runs `process.env.CODE`, the body of an async function, and logs what it came to. */
const probe = `
const AsyncFunction = (async () => {}).constructor;
new AsyncFunction(process.env.CODE)().then(
  (value) => console.log(JSON.stringify({ value })),
  (error) => console.log(JSON.stringify({ error: error.name + ': ' + error.message, code: error.code })),
);
// Named, so that they are here.
globalThis.named = [fetch, AbortController, WebSocket];
`;

const prelude = buildPrelude();
let bundled: Promise<string> | undefined;

/** A module's code as it ships. */
async function bundleOf(source: string): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'isolet-probe-'));
  try {
    mkdirSync(join(folder, 'out'));
    writeFileSync(join(folder, 'package.json'), '{"name":"probe","version":"1.0.0"}');
    writeFileSync(join(folder, 'main.js'), source);
    const { file } = await bundleModule(folder, { outDir: join(folder, 'out') });
    return (await unpackBundle(readFileSync(file))).code;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

export async function createNetworkHost(settings: Partial<HostSettings> = {}): Promise<ModuleHost> {
  return createTestHost(settings, await prelude);
}

/** The grants of a deployment whose label says this. */
export function granted(label: string, hostConfig: JsonObject = {}): Grants {
  const options = { Labels: { 'isolet.network': label }, HostConfig: hostConfig };
  const { grants, problems } = readCreateOptions(options, 'o');
  if (problems.length > 0) throw new Error(problems.join('; '));
  return grants;
}

let lastModule = 0;

/** What `code` comes to in a module with these grants. */
export async function runIn(
  host: ModuleHost,
  grants: Grants,
  code: string,
  env: Readonly<Record<string, string>> = {},
): Promise<Outcome> {
  bundled ??= bundleOf(probe);
  const module = `probe${++lastModule}`;
  const told = startNoting(host, {
    module,
    code: await bundled,
    grants,
    env: { ...env, CODE: code },
  });
  const text = await until(LIMIT_MS, 'the module has fetched', () => {
    const [ending] = told.endings;
    if (ending !== undefined) throw new Error(`It ended: ${ending.reason}`);
    return told.requests
      .map((one) => (one.t === 'log' ? one.text : ''))
      .find((line) => line.startsWith('{'));
  });
  await told.running.stop();
  return JSON.parse(text) as Outcome;
}

/** Fetches, and gives status and text. */
export function fetching(url: string, init = '{}'): string {
  return `const answer = await fetch(${JSON.stringify(url)}, ${init});
    return [answer.status, await answer.text()];`;
}

export type TestServer = {
  readonly port: number;
  readonly seen: readonly IncomingMessage[];
  close(): Promise<void>;
};

/** On a loopback address, 127.0.0.1 unless told. */
export async function serve(
  answer: RequestListener = (_request, response) => response.end('hello'),
  address = '127.0.0.1',
  create: (listener: RequestListener) => Server = createServer,
): Promise<TestServer> {
  const seen: IncomingMessage[] = [];
  const server = create((request, response) => {
    seen.push(request);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, address, resolve));
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
