/** Brings a bundle into a container registry (OCI distribution v2): two blobs, then the manifest that names them. */
import { type Blob, bundleManifest, EMPTY_CONFIG } from '../core/bundle-artifact.ts';
import { Fault } from '../core/fault.ts';
import type { RegistryLogin } from '../core/registry-credentials.ts';
import { type RegistryName, showRegistryName } from '../core/registry-name.ts';
import { asBytes } from '../lib/text.ts';
import { digestOf } from './bundle-archive.ts';
import { isInsecure, registryUrl } from './registry.ts';
import { answerChallenge } from './registry-auth.ts';

export type PushOptions = {
  /** Undefined = as nobody. */
  readonly login: RegistryLogin | undefined;
  readonly insecure: readonly string[];
  /** What the manifest says besides. */
  readonly annotations: Readonly<Record<string, string>>;
  /** The same archive as what it differs by from others, whose digests are `from`. */
  readonly deltas?: readonly { readonly from: string; readonly bytes: Uint8Array }[];
  /** Of each request. */
  readonly timeoutMs: number;
};

type Sent = { readonly method: string; readonly type?: string; readonly body?: Uint8Array };

/**
 * @param bytes the archive as `isolet build` made it.
 * @returns the manifest's digest, `sha256:<hex>`: what `image@…` names. Rejects with DOWNLOAD_FAILED.
 */
export async function pushBundle(
  bytes: Uint8Array,
  name: RegistryName,
  options: PushOptions,
): Promise<string> {
  const { host, repository } = name;
  const { login, insecure, annotations, timeoutMs, deltas = [] } = options;
  const base = new URL(`${registryUrl(host, insecure)}${repository}/`);
  let authorization: string | undefined;

  async function once(url: URL, { method, type, body }: Sent): Promise<Response> {
    // An upload may go elsewhere; who we are is this registry's business alone.
    const known = url.origin === base.origin ? authorization : undefined;
    try {
      return await fetch(url, {
        method,
        headers: {
          ...(type && { 'content-type': type }),
          ...(known && { authorization: known }),
        },
        ...(body && { body: body as Uint8Array<ArrayBuffer> }),
        signal: AbortSignal.timeout(timeoutMs),
      });
    } catch (cause) {
      const { message, cause: reason } = cause as Error;
      throw failed(
        `${host} cannot be reached: ${(reason as Error | undefined)?.message ?? message}`,
      );
    }
  }

  async function send(url: URL, sent: Sent): Promise<Response> {
    const first = await once(url, sent);
    if (first.status !== 401) return first;
    const asking = {
      host,
      scope: `repository:${repository}:pull,push`,
      login,
      isInsecure: (one: string) => isInsecure(one, insecure),
    };
    const challenge = first.headers.get('www-authenticate') ?? '';
    authorization = await answerChallenge(challenge, asking, async (where, headers) => {
      const answer = await fetch(where, { headers, signal: AbortSignal.timeout(timeoutMs) });
      if (!answer.ok) throw refused(answer.status);
      return answer.text();
    });
    return authorization === undefined ? first : once(url, sent);
  }

  /** A blob that is there already is not sent again. */
  async function pushBlob(blob: Uint8Array): Promise<void> {
    const digest = digestOf(blob);
    const there = await send(new URL(`blobs/${digest}`, base), { method: 'HEAD' });
    if (there.ok) return;
    const begun = await expect(
      send(new URL('blobs/uploads/', base), { method: 'POST', body: new Uint8Array() }),
    );
    const upload = URL.parse(begun.headers.get('location') ?? '', base);
    if (upload === null) throw failed(`${host} does not say where an upload goes`);
    upload.searchParams.set('digest', digest);
    await expect(send(upload, { method: 'PUT', type: 'application/octet-stream', body: blob }));
  }

  async function expect(answer: Promise<Response>): Promise<Response> {
    const response = await answer;
    if (response.ok) return response;
    throw refused(response.status, await response.text().catch(() => ''));
  }

  function refused(status: number, text = ''): Fault {
    if (status === 401 || status === 403) {
      return failed(
        login === undefined
          ? `${host} wants to know who pushes ${repository}: give --username and --password-stdin, or log in with docker`
          : `${host} refused the user ${JSON.stringify(login.username)} for ${repository} (${status}): correct the password, or the rights there`,
      );
    }
    return failed(
      `${host} refused ${showRegistryName(name)}: ${status} ${text.slice(0, 300)}`.trim(),
    );
  }

  await pushBlob(asBytes(EMPTY_CONFIG.text));
  await pushBlob(bytes);
  for (const delta of deltas) await pushBlob(delta.bytes);
  const blobOf = (blob: Uint8Array): Blob => ({
    sha256: digestOf(blob).slice('sha256:'.length),
    bytes: blob.byteLength,
  });
  const layers = deltas.map((delta) => ({ ...blobOf(delta.bytes), from: delta.from }));
  const content = bundleManifest(blobOf(bytes), annotations, layers);
  const body = asBytes(JSON.stringify(content));
  await expect(
    send(new URL(`manifests/${name.reference}`, base), {
      method: 'PUT',
      type: String(content['mediaType']),
      body,
    }),
  );
  return digestOf(body);
}

function failed(message: string): Fault {
  return new Fault('DOWNLOAD_FAILED', message);
}
