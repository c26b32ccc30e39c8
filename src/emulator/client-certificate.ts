/** Who a client's certificate says it is (spec/iothub.md §1.4, X.509). TLS has proven that the client holds the key. */
import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

export type ClientCertificate = {
  readonly leaf: X509Certificate;
  /** The others the client sent, as it sent them: nothing here is proven. */
  readonly chain: readonly X509Certificate[];
};

/** Longer chains than this are not followed. */
const CHAIN_LENGTH_MAX = 6;

/** The certificate a client showed in its TLS handshake; undefined when it showed none. */
export function clientCertificate(socket: TLSSocket): ClientCertificate | undefined {
  // Null once the socket is gone, an empty object when the client has no certificate.
  const shown = socket.getPeerCertificate(true) as Partial<DetailedPeerCertificate> | null;
  if (shown?.raw === undefined) return undefined;
  const all: X509Certificate[] = [];
  let next: Partial<DetailedPeerCertificate> | undefined = shown;
  while (next?.raw !== undefined && all.length < CHAIN_LENGTH_MAX) {
    all.push(new X509Certificate(next.raw));
    // A root is its own issuer.
    next = next.issuerCertificate === next ? undefined : next.issuerCertificate;
  }
  const [leaf, ...chain] = all as [X509Certificate, ...X509Certificate[]];
  return { leaf, chain };
}

/** True when one of these (SHA-1 or SHA-256, hex, colons or none) is the certificate's. */
export function hasThumbprint(
  certificate: X509Certificate,
  thumbprints: readonly (string | null)[],
): boolean {
  const own = [certificate.fingerprint, certificate.fingerprint256].map(plainHex);
  return thumbprints.some((wanted) => wanted !== null && own.includes(plainHex(wanted)));
}

/** Why the certificate does not lead to one of these authorities just now; undefined when it does. */
export function chainProblem(
  { leaf, chain }: ClientCertificate,
  authorities: readonly X509Certificate[],
  nowMs: number,
): string | undefined {
  let current = leaf;
  for (let length = 0; length < CHAIN_LENGTH_MAX; length++) {
    if (!isCurrent(current, nowMs)) {
      return `the certificate of ${subjectOf(current)} is good from ${current.validFrom} to ${current.validTo} only`;
    }
    const issued = current;
    const isIssuer = (other: X509Certificate): boolean => issuedBy(issued, other);
    const authority = authorities.find(isIssuer);
    if (authority !== undefined) {
      return isCurrent(authority, nowMs)
        ? undefined
        : `the authority ${subjectOf(authority)} is good from ${authority.validFrom} to ${authority.validTo} only`;
    }
    const issuer = chain.find((other) => other !== issued && isIssuer(other));
    if (issuer === undefined) break;
    current = issuer;
  }
  return `no authority the hub knows issued the certificate of ${subjectOf(current)}`;
}

/** The CN of a certificate's subject; '' when it has none. */
export function commonName(certificate: X509Certificate): string {
  return /(?:^|\n)CN=(.*)(?:\n|$)/.exec(certificate.subject ?? '')?.[1] ?? '';
}

function issuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function isCurrent(certificate: X509Certificate, nowMs: number): boolean {
  return nowMs >= Date.parse(certificate.validFrom) && nowMs <= Date.parse(certificate.validTo);
}

function subjectOf(certificate: X509Certificate): string {
  return (certificate.subject ?? '(no name)').replaceAll('\n', ', ').slice(0, 200);
}

function plainHex(text: string): string {
  return text.replaceAll(':', '').toUpperCase();
}
