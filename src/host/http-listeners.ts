/** The open servers of one port of a module: one for each place it is published at. */
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { PublishedPort } from '../core/port-grant.ts';
import { ServiceError } from './device-services.ts';
import type { HttpServerLimits } from './http-server-limits.ts';
import { describeListenFailure, listenOptions } from './port-check.ts';

export type HttpListeners = {
  /** Ports of the device, in the order of the grant. */
  readonly ports: readonly number[];
  /** No new connections; resolves when those under way have ended. */
  close(): Promise<void>;
  /** At once, and those under way with it. */
  destroy(): void;
};

/** How often Node looks for those who are too slow, ms. */
const LOOK_MS = 1_000;
/** The kernel asks a silent client whether it is there, ms. */
const PROBE_MS = 60_000;

/** Opens all or none. Rejects with a ServiceError that names the field and the remedy. */
export async function openListeners(
  published: readonly PublishedPort[],
  limits: HttpServerLimits,
  onRequest: RequestListener,
): Promise<HttpListeners> {
  const servers: Server[] = [];
  const destroy = (): void => {
    for (const server of servers) {
      server.close();
      server.closeAllConnections();
    }
  };
  try {
    for (const one of published) {
      const server = makeServer(limits, onRequest);
      servers.push(server);
      await listen(server, one);
    }
  } catch (cause) {
    destroy();
    throw cause;
  }
  return {
    ports: servers.map((server) => (server.address() as AddressInfo).port),
    async close() {
      await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    },
    destroy,
  };
}

function makeServer(limits: HttpServerLimits, onRequest: RequestListener): Server {
  const server = createServer(
    {
      maxHeaderSize: limits.headerBytesMax,
      headersTimeout: limits.headersMs,
      requestTimeout: limits.requestMs,
      keepAliveTimeout: limits.idleMs,
      connectionsCheckingInterval: Math.min(LOOK_MS, limits.headersMs),
      keepAlive: true,
      keepAliveInitialDelay: PROBE_MS,
      noDelay: true,
    },
    onRequest,
  );
  server.maxConnections = limits.connectionsMax;
  // An answer that waits for its client; one that waits for the module has a time of its own.
  server.setTimeout(limits.stallMs, (socket: Socket) => {
    if (socket.writableLength > 0) socket.destroy();
  });
  return server;
}

function listen(server: Server, published: PublishedPort): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('listening', resolve);
  server.once('error', (cause: NodeJS.ErrnoException) => {
    const text = `${published.at}: ${describeListenFailure(published, cause)}`;
    reject(new ServiceError(cause.code ?? 'EIO', text));
  });
  server.listen(listenOptions(published));
  return promise.then(() => {
    // A connection the kernel could not give us (EMFILE) is the client's loss alone.
    server.on('error', () => {});
  });
}
