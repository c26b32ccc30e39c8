/** Sells tokens for a docker-registry, to one user (the registry's token authentication). */
import { randomUUID, sign, X509Certificate } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { RegistryLogin } from '../../src/core/registry-credentials.ts';
import { selfSigned } from '../emulator/certificates.ts';

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

export async function startTokenServer({ username, password }: RegistryLogin): Promise<{
  readonly realm: string;
  /** The registry's root of trust, PEM. */
  readonly certificate: string;
  stop(): Promise<void>;
}> {
  const { cert, key } = await selfSigned('tokens');
  const x5c = [new X509Certificate(cert).raw.toString('base64')];
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;

  const token = (service: string, scope: string): string => {
    const nowSeconds = Math.floor(Date.now() / 1_000);
    const [type, name, actions = ''] = scope.split(':');
    const claims = {
      iss: 'us',
      sub: username,
      aud: service,
      exp: nowSeconds + 60,
      nbf: nowSeconds - 60,
      iat: nowSeconds,
      jti: randomUUID(),
      access: [{ type, name, actions: actions.split(',') }],
    };
    const text = `${part({ typ: 'JWT', alg: 'ES256', x5c })}.${part(claims)}`;
    const signature = sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' });
    return `${text}.${signature.toString('base64url')}`;
  };

  const server = createServer((request, response) => {
    if (request.headers.authorization !== basic) {
      response.writeHead(401).end();
      return;
    }
    const { searchParams } = new URL(request.url ?? '', 'http://localhost');
    const [service = '', scope = ''] = ['service', 'scope'].map(
      (one) => searchParams.get(one) ?? '',
    );
    response.end(JSON.stringify({ token: token(service, scope) }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    realm: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    certificate: cert,
    stop: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}
