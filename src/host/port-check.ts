/** Are the ports a module serves on free, and may this process open them? Asked before its code runs. */
import { createServer } from 'node:net';
import type { PortGrant, PublishedPort } from '../core/port-grant.ts';

/** Each problem begins with the field and ends with the remedy. */
export async function portProblems(ports: readonly PortGrant[]): Promise<readonly string[]> {
  const published = ports.flatMap((one) => one.published);
  const problems = await Promise.all(published.map(portProblem));
  return problems.filter((problem) => problem !== undefined);
}

/** What `listen` takes for a published port. Without an address it is all there are, of both kinds. */
export function listenOptions({ ip, port }: PublishedPort): {
  readonly port: number;
  readonly host?: string;
  readonly ipv6Only?: boolean;
} {
  return ip === '' ? { port } : { port, host: ip, ipv6Only: ip.includes(':') };
}

/** It is opened for a moment: nothing else says for sure. */
function portProblem(published: PublishedPort): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const server = createServer((socket) => socket.destroy());
  const failed = (cause: unknown): void => {
    resolve(`${published.at}: ${describeListenFailure(published, cause)}`);
  };
  server.on('error', failed);
  server.on('listening', () => {
    server.close();
    resolve(undefined);
  });
  try {
    server.listen(listenOptions(published));
  } catch (cause) {
    failed(cause);
  }
  return promise;
}

export function describeListenFailure({ ip, port }: PublishedPort, cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  switch (code) {
    case 'EADDRINUSE':
      return `port ${port} of the device is taken by another program: stop that one, or publish another port`;
    case 'EACCES':
    case 'EPERM':
      return `port ${port} may not be opened by the user the module hosts run as (number ${process.getuid?.()}): publish a port from 1024 on, or set the device's sysctl net.ipv4.ip_unprivileged_port_start to ${port}`;
    case 'EADDRNOTAVAIL':
    case 'EINVAL':
    case 'EAFNOSUPPORT':
    case 'ENOTFOUND':
      return `${ip === '' ? 'the address' : ip} is no address of this device: correct HostIp, or leave it out for all addresses`;
    default:
      return `port ${port} cannot be opened (${code})`;
  }
}
