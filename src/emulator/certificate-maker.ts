/**
 * A program that makes the hub's certificates: a CertificateOrder as JSON on its standard input, MadeCertificates
 * on its standard output. A process of its own, because the library takes 12 MB which the hub would keep
 * for its whole life (a thread's it would keep as well).
 */
import { createPrivateKey, KeyObject, randomBytes } from 'node:crypto';
import { isIP } from 'node:net';
import { text } from 'node:stream/consumers';

export type Pair = { readonly certificatePem: string; readonly keyPem: string };

/** What to make: a server certificate, and first its authority when there is none yet. */
export type CertificateOrder = {
  readonly authority?: Pair;
  readonly names: readonly string[];
  readonly nowMs: number;
};
export type MadeCertificates = { readonly authority: Pair; readonly server: Pair };

type KeyPair = { readonly publicKey: CryptoKey; readonly privateKey: CryptoKey };
type X509 = typeof import('@peculiar/x509');

const DAY_MS = 86_400_000;
const CA_DAYS = 3_650;
/** Apple and others refuse server certificates good for more than 825 days. */
const SERVER_DAYS = 397;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

const [x509, ordered] = await Promise.all([loadX509(), text(process.stdin)]);
const order = JSON.parse(ordered) as CertificateOrder;
const authority = order.authority ?? (await makeAuthority(x509, order.nowMs));
const made: MadeCertificates = {
  authority,
  server: await makeServer(x509, authority, order.names, order.nowMs),
};
process.stdout.write(JSON.stringify(made));

async function makeAuthority(x509: X509, nowMs: number): Promise<Pair> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(nowMs, CA_DAYS),
    serialNumber: newSerial(),
    name: 'CN=Isolet hub authority',
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificatePem: `${certificate.toString('pem')}\n`, keyPem: keyPemOf(keys.privateKey) };
}

async function makeServer(
  x509: X509,
  authority: Pair,
  names: readonly string[],
  nowMs: number,
): Promise<Pair> {
  const issuer = new x509.X509Certificate(authority.certificatePem);
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(nowMs, SERVER_DAYS),
    serialNumber: newSerial(),
    subject: 'CN=Isolet hub',
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await importKey(authority.keyPem),
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { certificatePem: `${certificate.toString('pem')}\n`, keyPem: keyPemOf(keys.privateKey) };
}

/** From an hour ago: the clocks of small boards are late. */
function validity(nowMs: number, days: number): { notBefore: Date; notAfter: Date } {
  return { notBefore: new Date(nowMs - 3_600_000), notAfter: new Date(nowMs + days * DAY_MS) };
}

/** Positive, as RFC 5280 §4.1.2.2 wants it: the first bit is 0, the number is not. */
function newSerial(): string {
  return `4${randomBytes(16).toString('hex').slice(1)}`;
}

async function newKeys(): Promise<KeyPair> {
  return (await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as KeyPair;
}

function keyPemOf(key: CryptoKey): string {
  return KeyObject.from(key).export({ type: 'pkcs8', format: 'pem' }) as string;
}

function importKey(pem: string): Promise<CryptoKey> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
  return crypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}

/**
 * Its injection library asks at load for two functions of
 * an old metadata proposal; having no metadata is answer enough.
 */
async function loadX509(): Promise<X509> {
  const reflect = Reflect as { getMetadata?: unknown; getOwnMetadata?: unknown };
  reflect.getMetadata ??= () => undefined;
  reflect.getOwnMetadata ??= () => undefined;
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(crypto);
  return x509;
}
