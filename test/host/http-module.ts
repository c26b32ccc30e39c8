/** A module with an HTTP server, in an isolate of a real host, bundled as modules are. */
import { createServer } from 'node:net';
import { build } from 'esbuild';
import { buildPrelude } from '../../build/guest.ts';
import { guestImports } from '../../build/guest-imports.ts';
import type { PublishedPort } from '../../src/core/port-grant.ts';
import type { ModuleHost } from '../../src/core/ports.ts';
import {
  defaultHttpServerLimits,
  type HttpServerLimits,
} from '../../src/host/http-server-limits.ts';
import { granting, startNoting, type Told } from '../contracts/module-host.ts';
import { until, within } from '../fakes/within.ts';
import { createTestHost } from './real-host.ts';

const LIMIT_MS = 10_000;
const prelude = buildPrelude();

export const AT = 'o.HostConfig.PortBindings["8080/tcp"][0]';

export type HttpModule = Told & {
  readonly url: string;
  readonly port: number;
  logs(): readonly string[];
  log(text: string): Promise<string>;
};

/** The module's code as the packager makes it. */
async function bundleHttp(source: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: source, sourcefile: 'main.mjs', resolveDir: import.meta.dirname },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'neutral',
    target: 'es2024',
    alias: { ...guestImports },
    logLevel: 'silent',
  });
  return outputFiles[0]?.text ?? '';
}

/** Its port 8080 is published at a free one of the loopback, unless told otherwise. */
export async function startHttp(
  host: ModuleHost,
  source: string,
  { module = 'web', published = {} as Partial<PublishedPort>, group = 'shared' } = {},
): Promise<HttpModule> {
  const port = { ip: '127.0.0.1', port: 0, at: AT, ...published };
  const grants = granting({
    ports: [
      { port: 8080, published: [port] },
      { port: 9090, published: [] },
    ],
  });
  const code = await bundleHttp(source);
  const told = startNoting(host, { module, code, grants, group });
  const logs = (): readonly string[] =>
    told.requests.flatMap((request) => (request.t === 'log' ? [request.text] : []));
  const log = (text: string): Promise<string> =>
    until(LIMIT_MS, `the line "${text}"`, () => {
      if (told.endings[0] !== undefined) throw new Error(told.endings[0].reason);
      return logs().find((line) => line.includes(text));
    });
  const line = await log('of this module');
  const [, open = ''] = /is port (\d+) of the device/.exec(line) ?? [];
  return { ...told, url: `http://127.0.0.1:${open}`, port: Number(open), logs, log };
}

export async function openHost(limits: Partial<HttpServerLimits> = {}): Promise<ModuleHost> {
  const httpServer = { ...defaultHttpServerLimits, ...limits };
  return createTestHost({ httpServer }, await prelude);
}

export async function withHost(
  limits: Partial<HttpServerLimits>,
  use: (host: ModuleHost) => Promise<void>,
): Promise<void> {
  const host = await openHost(limits);
  try {
    await use(host);
  } finally {
    await within(LIMIT_MS, 'the host stops', host.stop());
  }
}

/** As `withHost`, with one module. */
export function withHttp(
  source: string,
  use: (module: HttpModule) => Promise<void>,
  limits: Partial<HttpServerLimits> = {},
): Promise<void> {
  return withHost(limits, async (host) => use(await startHttp(host, source)));
}

/** A port that was free a moment ago; whoever took it meanwhile would fail the test loudly. */
export function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as { readonly port: number };
    server.close(() => resolve(port));
  });
  return promise;
}
