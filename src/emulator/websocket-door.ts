/** MQTT over WebSockets (spec/iothub.md §1.1): what comes through one is served as if it came straight over TLS. */
import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { type ClientCertificate, clientCertificate } from './client-certificate.ts';

/** Serves one connection of a subprotocol. */
type Serve = (stream: Duplex, certificate: ClientCertificate | undefined) => void;

const PATH = '/$iothub/websocket';

/** `protocols`: who serves which subprotocol. Others, and other paths, are told no in HTTP. */
export function openWebSocketDoor(
  http: Server,
  protocols: Readonly<Record<string, Serve>>,
  limits: { readonly messageBytesMax: number },
): void {
  const door = new WebSocketServer({
    noServer: true,
    maxPayload: limits.messageBytesMax,
    perMessageDeflate: false,
    clientTracking: false,
    handleProtocols: (offered) => known(offered) ?? false,
  });
  const known = (offered: Iterable<string>): string | undefined =>
    [...offered].find((name) => Object.hasOwn(protocols, name));

  http.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy());
    const offered = String(request.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/);
    const chosen = known(offered);
    if (request.url?.split('?')[0] !== PATH) return refuse(socket, '404 Not Found');
    if (chosen === undefined) return refuse(socket, '400 Bad Request');
    door.handleUpgrade(request, socket, head, (webSocket) => {
      const certificate = clientCertificate(request.socket as TLSSocket);
      protocols[chosen]?.(createWebSocketStream(webSocket), certificate);
    });
  });
}

function refuse(socket: Duplex, status: string): void {
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}
