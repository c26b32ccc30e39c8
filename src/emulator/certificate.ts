/**
 * The hub's own certificate authority and server certificate, made on the first start and kept, so
 * that clients trust a hub across restarts. Renewed before they end; keys are readable by us alone.
 */
import { createPrivateKey, KeyObject, randomBytes, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { Fault } from '../core/fault.ts';
import type { Clock, Log } from '../core/ports.ts';

export type HubCertificate = {
  /** Path of the authority's PEM file: what clients must trust. */
  readonly caFile: string;
  readonly certificatePem: string;
  readonly keyPem: string;
};

type Pair = { readonly certificatePem: string; readonly keyPem: string };
type KeyPair = { readonly publicKey: CryptoKey; readonly privateKey: CryptoKey };
type X509 = typeof import('@peculiar/x509');

const DAY_MS = 86_400_000;
const CA_DAYS = 3_650;
/** Apple and others refuse server certificates good for more than 825 days. */
const SERVER_DAYS = 397;
/** What has less left is made anew. */
const RENEW_DAYS = 30;
const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/**
 * The certificate for these names (host names and IP addresses), from `dataDir` or made there. Throws
 * STORE_DAMAGED when a file of it cannot be read as what it should be.
 */
export async function ensureCertificate(
  dataDir: string,
  names: readonly string[],
  clock: Clock,
  log: Log,
): Promise<HubCertificate> {
  const caFile = join(dataDir, 'ca.pem');
  const files = { ca: [caFile, join(dataDir, 'ca.key')], server: pathsOf(dataDir, 'server') };
  let ca = readPair(files.ca[0] as string, files.ca[1] as string);
  let server = readPair(files.server[0], files.server[1]);
  const caFresh = ca !== undefined && daysLeft(ca, clock) > RENEW_DAYS;
  if (!caFresh) {
    if (ca !== undefined)
      log.warn('the hub has a new authority: clients must trust it', { caFile });
    ca = await makeAuthority(await loadX509(), clock);
    writePair(files.ca[0] as string, files.ca[1] as string, ca);
    server = undefined;
  }
  const authority = ca as Pair;
  if (server === undefined || !stillGood(server, authority, names, clock)) {
    server = await makeServer(await loadX509(), authority, names, clock);
    writePair(files.server[0], files.server[1], server);
  }
  return {
    caFile,
    // With the authority, for clients that want to see the whole chain.
    certificatePem: server.certificatePem + authority.certificatePem,
    keyPem: server.keyPem,
  };
}

function pathsOf(dataDir: string, name: string): readonly [string, string] {
  return [join(dataDir, `${name}.pem`), join(dataDir, `${name}.key`)];
}

function readPair(certificateFile: string, keyFile: string): Pair | undefined {
  if (!existsSync(certificateFile) || !existsSync(keyFile)) return undefined;
  try {
    const certificatePem = readFileSync(certificateFile, 'utf8');
    const keyPem = readFileSync(keyFile, 'utf8');
    if (new X509Certificate(certificatePem).checkPrivateKey(createPrivateKey(keyPem))) {
      return { certificatePem, keyPem };
    }
  } catch (cause) {
    throw damagedPair(certificateFile, keyFile, cause);
  }
  throw damagedPair(certificateFile, keyFile, undefined);
}

function damagedPair(certificateFile: string, keyFile: string, cause: unknown): Fault {
  return new Fault(
    'STORE_DAMAGED',
    `${certificateFile} and ${keyFile} are no certificate with its key: delete both, they are made anew`,
    { cause },
  );
}

/** Written aside and renamed, so that no half of one is ever found. The key goes first. */
function writePair(certificateFile: string, keyFile: string, pair: Pair): void {
  for (const [file, text, mode] of [
    [keyFile, pair.keyPem, 0o600],
    [certificateFile, pair.certificatePem, 0o644],
  ] as const) {
    const aside = `${file}.new`;
    writeFileSync(aside, text, { mode });
    renameSync(aside, file);
  }
}

function stillGood(server: Pair, authority: Pair, names: readonly string[], clock: Clock): boolean {
  const certificate = new X509Certificate(server.certificatePem);
  return (
    daysLeft(server, clock) > RENEW_DAYS &&
    certificate.verify(new X509Certificate(authority.certificatePem).publicKey) &&
    names.every((name) =>
      isIP(name) === 0 ? certificate.checkHost(name) : certificate.checkIP(name),
    )
  );
}

function daysLeft(pair: Pair, clock: Clock): number {
  return (Date.parse(new X509Certificate(pair.certificatePem).validTo) - clock.now()) / DAY_MS;
}

async function makeAuthority(x509: X509, clock: Clock): Promise<Pair> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(clock, CA_DAYS),
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
  clock: Clock,
): Promise<Pair> {
  const issuer = new x509.X509Certificate(authority.certificatePem);
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    ...validity(clock, SERVER_DAYS),
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
function validity(clock: Clock, days: number): { notBefore: Date; notAfter: Date } {
  const now = clock.now();
  return { notBefore: new Date(now - 3_600_000), notAfter: new Date(now + days * DAY_MS) };
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
 * Loaded only when a certificate must be made. Its injection library asks at load for two functions of
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
