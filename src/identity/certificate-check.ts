/** Is a certificate fit to prove who this device is? Looked at before anything is touched. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

/** A board without a clock battery wakes up in 1970: what it thinks of dates then means nothing. */
const CLOCK_IS_SET_MS = Date.UTC(2024, 0, 1);

/** What is wrong, as ends of sentences about each of the two; none = nothing. */
export type CertificateProblems = {
  readonly certificate: readonly string[];
  readonly privateKey: readonly string[];
};

/** The common name in it, which DPS takes for the registration id. */
export function commonName(certificatePem: string): string | undefined {
  try {
    return /^CN=(.+)$/m.exec(new X509Certificate(certificatePem).subject)?.[1];
  } catch {
    return undefined;
  }
}

export function certificateProblems(
  certificatePem: string,
  privateKeyPem: string,
  nowMs: number,
): CertificateProblems {
  const certificate: string[] = [];
  const privateKey: string[] = [];
  let read: X509Certificate | undefined;
  let key: KeyObject | undefined;
  try {
    read = new X509Certificate(certificatePem);
  } catch {
    certificate.push('holds no PEM certificate');
  }
  try {
    key = createPrivateKey(privateKeyPem);
  } catch {
    privateKey.push('holds no PEM private key that could be read without a password');
  }
  if (read !== undefined) {
    const day = (date: Date): string => date.toISOString().slice(0, 10);
    if (nowMs > read.validToDate.getTime()) {
      certificate.push(`has expired on ${day(read.validToDate)}: put a new one in its place`);
    } else if (nowMs > CLOCK_IS_SET_MS && nowMs < read.validFromDate.getTime()) {
      certificate.push(
        `is valid only from ${day(read.validFromDate)} on: see that the device's clock is right`,
      );
    }
    if (key !== undefined && !read.checkPrivateKey(key)) {
      privateKey.push('is not the key of the certificate: name the two that belong together');
    }
  }
  return { certificate, privateKey };
}
