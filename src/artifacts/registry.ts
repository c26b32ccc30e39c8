/** One image of a container registry: what its manifest names, and the bytes of that (OCI distribution v2). */
import { type Artifact, type Blob, MANIFEST_TYPES, readArtifact } from '../core/bundle-artifact.ts';
import { Fault } from '../core/fault.ts';
import type { Json } from '../core/json.ts';
import type { Clock } from '../core/ports.ts';
import type { RegistryLogin } from '../core/registry-credentials.ts';
import {
  isLoopbackHost,
  type RegistryName,
  registryAddress,
  showRegistryName,
} from '../core/registry-name.ts';
import { digestOf } from './bundle-archive.ts';
import { type Download, type DownloadLimits, RefusedDownload, startDownload } from './download.ts';
import { answerChallenge } from './registry-auth.ts';

export type RegistryOptions = {
  /** Undefined = as nobody. */
  readonly login: RegistryLogin | undefined;
  /** Hosts that are asked over plain HTTP, besides those of this machine. */
  readonly insecure: readonly string[];
  readonly limits: DownloadLimits;
  readonly clock: Clock;
};

/** What an image is at this moment. */
export type Resolved = Extract<Artifact, { kind: 'bundle' }> & {
  /** Of the manifest: `sha256:<hex>`. */
  readonly digest: string;
};

export interface RegistryImage {
  /** Rejects with DOWNLOAD_FAILED, and with BUNDLE_INVALID for what is no bundle. */
  resolve(): Promise<Resolved>;
  /** Rejects with DOWNLOAD_FAILED. */
  open(blob: Blob, fromByte: number): Promise<Download>;
}

/** As registries limit them (OCI distribution: at least 4 MB). */
const MANIFEST_BYTES_MAX = 4 * 1024 * 1024;

/** Where the API of a host lies. */
export function registryUrl(host: string, insecure: readonly string[]): string {
  const scheme = isInsecure(host, insecure) ? 'http' : 'https';
  return `${scheme}://${registryAddress(host)}/v2/`;
}

export function isInsecure(host: string, insecure: readonly string[]): boolean {
  return isLoopbackHost(host) || insecure.includes(host);
}

export function openRegistryImage(name: RegistryName, options: RegistryOptions): RegistryImage {
  const { login, insecure, limits, clock } = options;
  const { host, repository } = name;
  const shown = showRegistryName(name);
  const base = `${registryUrl(host, insecure)}${repository}`;
  let authorization: string | undefined;

  /** As nobody first, or as who we were; then as the registry wants it. Tokens end, so at any time. */
  async function get(
    path: string,
    fromByte: number,
    headers: Readonly<Record<string, string>>,
  ): Promise<Download> {
    const url = new URL(`${base}/${path}`);
    const once = (): Promise<Download> =>
      startDownload(url, fromByte, limits, clock, {
        ...headers,
        ...(authorization && { authorization }),
      });
    try {
      return await once();
    } catch (cause) {
      if (!(cause instanceof RefusedDownload) || cause.status !== 401) throw told(cause);
      authorization = await authorize(cause.challenge);
      return await once().catch((again: unknown) => {
        throw told(again);
      });
    }
  }

  async function authorize(challenge: string): Promise<string> {
    const asking = {
      host,
      scope: `repository:${repository}:pull`,
      login,
      isInsecure: (one: string) => isInsecure(one, insecure),
    };
    const answer = await answerChallenge(challenge, asking, async (url, headers) =>
      (await readAll(await startDownload(url, 0, limits, clock, headers), url.host)).toString(),
    ).catch((cause: unknown) => {
      throw told(cause);
    });
    if (answer === undefined) throw unknownHere();
    return answer;
  }

  /** What the registry's status means for whoever wrote the deployment. */
  function told(cause: unknown): unknown {
    if (!(cause instanceof RefusedDownload)) return cause;
    if (cause.status === 401 || cause.status === 403) return unknownHere(cause);
    if (cause.status !== 404) return cause;
    return failed(
      `${shown} is not in its registry (404): push it there, or correct the image in the deployment`,
      cause,
    );
  }

  function unknownHere(cause?: unknown): Fault {
    return login === undefined
      ? failed(
          `${host} gives ${shown} to nobody it does not know: add its address, a username and a password to the deployment's registryCredentials`,
          cause,
        )
      : failed(
          `${host} refused the user ${JSON.stringify(login.username)} of the registryCredentials for ${shown}: correct its password, or its rights there`,
          cause,
        );
  }

  async function readManifest(reference: string): Promise<Resolved | string> {
    const headers = { accept: MANIFEST_TYPES.join(', ') };
    const body = await readAll(await get(`manifests/${reference}`, 0, headers), host);
    const digest = digestOf(body);
    if (reference.startsWith('sha256:') && digest !== reference) {
      throw failed(
        `${host} answered the manifest ${digest} for ${shown}: the registry is damaged, or lies`,
      );
    }
    const artifact = readArtifact(parsed(body.toString()));
    if (typeof artifact === 'string') throw new Fault('BUNDLE_INVALID', `${shown} ${artifact}`);
    return artifact.kind === 'bundle' ? { ...artifact, digest } : artifact.digest;
  }

  return {
    async resolve() {
      const first = await readManifest(name.reference);
      const last = typeof first === 'string' ? await readManifest(first) : first;
      if (typeof last !== 'string') return last;
      throw new Fault('BUNDLE_INVALID', `${shown} is a list of lists: name the bundle itself`);
    },
    open: ({ sha256 }, fromByte) => get(`blobs/sha256:${sha256}`, fromByte, {}),
  };
}

async function readAll(download: Download, host: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of download.chunks) {
      size += chunk.byteLength;
      if (size > MANIFEST_BYTES_MAX) {
        throw failed(`${host} answered more than ${MANIFEST_BYTES_MAX} bytes where a page belongs`);
      }
      chunks.push(chunk);
    }
  } finally {
    download.close();
  }
  return Buffer.concat(chunks);
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

function failed(message: string, cause?: unknown): Fault {
  return new Fault('DOWNLOAD_FAILED', message, { cause });
}
