/**
 * The local API's door: a Unix socket. Node's HTTP server is loaded with the first caller, because on
 * a small board its memory is worth keeping until somebody looks (docs/decisions/0004-api-on-demand.md).
 */
import { chmodSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { Fault } from '../core/fault.ts';
import type { Resource } from './http-api.ts';

export interface ApiSocket {
  close(): Promise<void>;
}

/** Serves `resources` at `path`. Rejects with PORT_TAKEN when somebody already serves there. */
export async function openApiSocket(
  path: string,
  resources: readonly Resource[],
): Promise<ApiSocket> {
  if (await answers(path)) {
    throw new Fault(
      'PORT_TAKEN',
      `another Isolet already serves at ${path}: stop it, or use another data folder`,
    );
  }
  rmSync(path, { force: true }); // Left behind by a process that was killed.
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    void import('./http-api.ts').then(({ createHttpApi }) => createHttpApi(resources)(socket));
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) =>
      reject(
        new Fault(
          'DATA_FOLDER_UNUSABLE',
          `cannot serve the local API at ${path}: ${cause.message}`,
          {
            cause,
          },
        ),
      ),
    );
    server.listen(path, resolve);
  });
  chmodSync(path, 0o660);
  return {
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
