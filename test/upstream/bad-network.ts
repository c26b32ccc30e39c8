/** A network between a client and a port of this machine, which tests cut, stall and count. */
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net';

export type BadNetwork = {
  readonly port: number;
  /** Connections made through it so far. */
  readonly made: () => number;
  /** Bytes that went through it so far, both ways, TLS included. */
  readonly bytes: () => number;
  /** While true bytes vanish in both directions, and nobody is told. */
  readonly stall: (on: boolean) => void;
  /** While true nobody gets through, and who was is cut off. */
  readonly away: (on: boolean) => void;
  /** Ends every connection. */
  readonly cut: () => void;
  readonly close: () => Promise<void>;
};

export async function openBadNetwork(to: number): Promise<BadNetwork> {
  const sockets = new Set<Socket>();
  let made = 0;
  let bytes = 0;
  let stalled = false;
  let isAway = false;

  const server = createServer((near) => {
    made++;
    if (isAway) return void near.destroy();
    const far = dial(to, '127.0.0.1');
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk: Buffer) => {
        bytes += chunk.byteLength;
        if (!stalled) into.write(chunk);
      });
      from.on('error', () => into.destroy());
      from.on('close', () => {
        sockets.delete(from);
        into.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const cut = (): void => {
    // Not resetAndDestroy: of a socket that is ending it leaves a handle behind that keeps Node 26 from exiting.
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    made: () => made,
    bytes: () => bytes,
    stall: (on) => void (stalled = on),
    away(on) {
      isAway = on;
      if (on) cut();
    },
    cut,
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      cut();
      await closed;
    },
  };
}
