/**
 * The hub's own certificate authority and server certificate, made on the first start and kept, so
 * that clients trust a hub across restarts. Renewed before they end; keys are readable by us alone.
 */
import { execFile } from 'node:child_process';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Fault } from '../core/fault.ts';
import type { Clock, Log } from '../core/ports.ts';
import type { CertificateOrder, MadeCertificates, Pair } from './certificate-maker.ts';

declare const ISOLET_DIST: boolean | undefined;
const MAKER = `./certificate-maker.${typeof ISOLET_DIST === 'undefined' ? 'ts' : 'js'}`;

export type HubCertificate = {
  /** Path of the authority's PEM file: what clients must trust. */
  readonly caFile: string;
  readonly certificatePem: string;
  readonly keyPem: string;
};

const MAKER_MS_MAX = 30_000;
const DAY_MS = 86_400_000;
/** What has less left is made anew. */
const RENEW_DAYS = 30;

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
  if (ca !== undefined && daysLeft(ca, clock) <= RENEW_DAYS) {
    log.warn('the hub has a new authority: clients must trust it', { caFile });
    ca = undefined;
  }
  if (ca === undefined || server === undefined || !stillGood(server, ca, names, clock)) {
    const made = await makeCertificates({
      ...(ca === undefined ? {} : { authority: ca }),
      names,
      nowMs: clock.now(),
    });
    if (ca === undefined) writePair(files.ca[0] as string, files.ca[1] as string, made.authority);
    writePair(files.server[0], files.server[1], made.server);
    ca = made.authority;
    server = made.server;
  }
  return {
    caFile,
    // With the authority, for clients that want to see the whole chain.
    certificatePem: server.certificatePem + ca.certificatePem,
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

function makeCertificates(order: CertificateOrder): Promise<MadeCertificates> {
  return new Promise((resolve, reject) => {
    const maker = execFile(
      process.execPath,
      [fileURLToPath(new URL(MAKER, import.meta.url))],
      { timeout: MAKER_MS_MAX },
      (error, made) =>
        error === null ? resolve(JSON.parse(made) as MadeCertificates) : reject(error),
    );
    maker.stdin?.end(JSON.stringify(order));
  });
}
