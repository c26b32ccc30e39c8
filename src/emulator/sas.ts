/** Shared access signatures: read and checked (spec/iothub.md §1.4). Pure but for the hash. */
import { createHmac, timingSafeEqual } from 'node:crypto';

export type SasToken = {
  /** The text of `sr` exactly as it stands in the token: that text was signed. */
  readonly resource: string;
  readonly signature: Buffer;
  /** The text of `se`, unix seconds. */
  readonly expiry: string;
  readonly expiresAtMs: number;
  /** `skn`: signed with this policy's key instead of the identity's own. */
  readonly policy: string | undefined;
};

const PREFIX = 'SharedAccessSignature ';

/** The token in this text, or undefined when it is none. Fields may come in any order. */
export function parseSas(text: string): SasToken | undefined {
  if (!text.startsWith(PREFIX)) return undefined;
  const fields = new Map<string, string>();
  for (const part of text.slice(PREFIX.length).split('&')) {
    const at = part.indexOf('=');
    if (at > 0) fields.set(part.slice(0, at), part.slice(at + 1));
  }
  const resource = fields.get('sr');
  const expiry = fields.get('se');
  const signature = decode(fields.get('sig') ?? '');
  if (resource === undefined || expiry === undefined || !/^\d{1,15}$/.test(expiry)) {
    return undefined;
  }
  const policy = fields.get('skn');
  return {
    resource,
    signature: Buffer.from(signature, 'base64'),
    expiry,
    expiresAtMs: Number(expiry) * 1000,
    // Node's service SDK sends an empty skn for tokens without a policy.
    policy: policy === undefined || policy === '' ? undefined : decode(policy),
  };
}

/** True when one of these base64 keys made the signature. Bytes are compared, never text. */
export function signedBy(token: SasToken, keys: readonly string[]): boolean {
  return keys.some((key) => {
    if (key === '') return false;
    const expected = sign(key, token.resource, token.expiry);
    return expected.length === token.signature.length && timingSafeEqual(expected, token.signature);
  });
}

/**
 * True when the token's resource is `host/path…` or lies above it on a segment border, where host is
 * one of `hostNames` with any port or none: tunnels change ports. Case does not matter
 * (the identity service lower-cases the whole resource).
 */
export function covers(
  token: SasToken,
  hostNames: readonly string[],
  path: readonly string[],
): boolean {
  const [host = '', ...segments] = decode(token.resource).toLowerCase().split('/');
  const wanted = path.map((segment) => segment.toLowerCase());
  return (
    hostNames.includes(host.replace(/:\d+$/, '')) &&
    segments.length <= wanted.length &&
    segments.every((segment, index) => segment === wanted[index])
  );
}

function sign(key: string, resource: string, expiry: string): Buffer {
  return createHmac('sha256', Buffer.from(key, 'base64')).update(`${resource}\n${expiry}`).digest();
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
