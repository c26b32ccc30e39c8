/** Client certificates for tests: an authority of our own, leaves it issues, and leaves that issue themselves. */
import { KeyObject, webcrypto, X509Certificate } from 'node:crypto';

export type TestCertificate = {
  readonly cert: string;
  readonly key: string;
  /** SHA-256, hex without colons, as a registry wants it. */
  readonly thumbprint: string;
};

type KeyPair = { readonly publicKey: CryptoKey; readonly privateKey: CryptoKey };
export type TestAuthority = TestCertificate & {
  readonly issue: (commonName: string, life?: Life) => Promise<TestCertificate>;
};
/** Days from now. */
export type Life = { readonly fromDays: number; readonly toDays: number };

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;
const AN_HOUR_AGO: Life = { fromDays: -1 / 24, toDays: 30 };

const reflect = Reflect as { getMetadata?: unknown; getOwnMetadata?: unknown };
reflect.getMetadata ??= () => undefined;
reflect.getOwnMetadata ??= () => undefined;
const x509 = await import('@peculiar/x509');
x509.cryptoProvider.set(webcrypto as unknown as Crypto);

const newKeys = async (): Promise<KeyPair> =>
  (await crypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as KeyPair;

function finish(pem: string, keys: KeyPair): TestCertificate {
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }) as string;
  const thumbprint = new X509Certificate(pem).fingerprint256.replaceAll(':', '');
  return { cert: `${pem}\n`, key, thumbprint };
}

function validity({ fromDays, toDays }: Life): { notBefore: Date; notAfter: Date } {
  return {
    notBefore: new Date(Date.now() + fromDays * DAY_MS),
    notAfter: new Date(Date.now() + toDays * DAY_MS),
  };
}

export async function selfSigned(
  commonName: string,
  life: Life = AN_HOUR_AGO,
): Promise<TestCertificate> {
  const keys = await newKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(life),
    name: `CN=${commonName}`,
    keys,
    signingAlgorithm: ALGORITHM,
  });
  return finish(certificate.toString('pem'), keys);
}

/** An authority, issued by `parent` or by itself; what it issues carries it along as its chain. */
export async function newAuthority(
  commonName: string,
  parent?: { readonly cert: string; readonly key: string },
): Promise<TestAuthority> {
  const keys = await newKeys();
  const sign = async (
    subject: string,
    subjectKeys: KeyPair,
    ca: boolean,
    issuer: { readonly cert: string; readonly key: CryptoKey } | undefined,
    life: Life,
  ): Promise<string> => {
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity(life),
      subject: `CN=${subject}`,
      issuer:
        issuer === undefined ? `CN=${subject}` : new x509.X509Certificate(issuer.cert).subject,
      publicKey: subjectKeys.publicKey,
      signingKey: issuer?.key ?? subjectKeys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: [new x509.BasicConstraintsExtension(ca, undefined, true)],
    });
    return certificate.toString('pem');
  };
  const above = parent === undefined ? undefined : { cert: parent.cert, key: await keyOf(parent) };
  const pem = await sign(commonName, keys, true, above, AN_HOUR_AGO);
  const own = finish(pem, keys);
  return {
    ...own,
    async issue(name, life = AN_HOUR_AGO) {
      const leafKeys = await newKeys();
      const issuer = { cert: pem, key: keys.privateKey };
      const leaf = finish(await sign(name, leafKeys, false, issuer, life), leafKeys);
      return { ...leaf, cert: `${leaf.cert}${own.cert}` };
    },
  };
}

async function keyOf(parent: { readonly key: string }): Promise<CryptoKey> {
  const der = Buffer.from(parent.key.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return await crypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
}
