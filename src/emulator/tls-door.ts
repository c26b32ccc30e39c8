/**
 * One TLS port for MQTT, AMQP and HTTPS alike: whoever starts with a CONNECT packet is an MQTT client,
 * whoever starts with AMQP's name speaks that, all others are HTTP. So one `HostName=localhost:8883` serves device and service SDKs.
 */
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type TLSSocket } from 'node:tls';
import { Fault } from '../core/fault.ts';
import type { HubCertificate } from './certificate.ts';
import type { Surroundings } from './settings.ts';

export type TlsDoor = {
  readonly port: number;
  /** Cuts every connection and stops listening. */
  close(): Promise<void>;
};

/** First byte of an MQTT CONNECT: packet type 1, no flags. */
const MQTT_CONNECT = 0x10;
/** AMQP opens with its own name; no method of HTTP that is in use begins with an A. */
const AMQP = 0x41;

/** Throws PORT_TAKEN when the port cannot be had. */
export async function openTlsDoor(
  options: {
    readonly host: string;
    readonly port: number;
    readonly certificate: HubCertificate;
    serveMqtt(socket: TLSSocket): void;
    /** The socket rests until this resolves. */
    serveAmqp(socket: TLSSocket): Promise<void>;
    serveHttp(socket: TLSSocket): void;
  },
  surroundings: Surroundings,
): Promise<TlsDoor> {
  const { clock, log, settings } = surroundings;
  /** TCP connections, those that have not finished their handshake too. */
  const open = new Set<Socket>();
  const server = createServer({
    cert: options.certificate.certificatePem,
    key: options.certificate.keyPem,
    minVersion: 'TLSv1.2',
    // Everybody is asked for a certificate, nobody must have one: who it is good for is decided later.
    requestCert: true,
    rejectUnauthorized: false,
    handshakeTimeout: settings.connectTimeoutMs,
  });
  server.maxConnections = settings.connectionsMax + settings.watchersMax;

  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  server.on('tlsClientError', (error) => {
    // The usual reason is a client that does not trust our authority.
    log.warn('TLS handshake failed: does the client trust the ca file?', { error });
  });
  server.on('secureConnection', (socket) => {
    socket.on('error', () => socket.destroy());
    const stopTimer = clock.after(settings.connectTimeoutMs, () => socket.destroy());
    socket.once('close', stopTimer);
    socket.once('data', (chunk) => {
      stopTimer();
      // Stopped and put back, so that whoever takes over reads the stream from its start. They take
      // over in a later turn: http.Server reads from below the stream, and would get ahead of bytes
      // of this turn that still lie in it.
      socket.pause();
      socket.unshift(chunk);
      setImmediate(() => {
        if (socket.destroyed) return;
        if (chunk[0] === AMQP) {
          options.serveAmqp(socket).then(
            () => socket.resume(),
            (cause: unknown) => socket.destroy(cause as Error),
          );
          return;
        }
        if (chunk[0] === MQTT_CONNECT) options.serveMqtt(socket);
        else options.serveHttp(socket);
        socket.resume();
      });
    });
  });

  const port = await listen(server, options.host, options.port);
  return {
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}

function listen(
  server: ReturnType<typeof createServer>,
  host: string,
  port: number,
): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(
        cause.code === 'EADDRINUSE'
          ? new Fault(
              'PORT_TAKEN',
              `port ${port} on ${host} is in use: stop what uses it, or name another with --port`,
              { cause },
            )
          : new Fault(
              'CONFIG_INVALID',
              `the hub cannot listen on ${host}, port ${port} (${cause.code}): name others with --host and --port`,
              { cause },
            ),
      );
    });
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port));
  });
}
