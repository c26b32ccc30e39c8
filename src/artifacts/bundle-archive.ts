/**
 * The bundle format: a gzip'd tar with `bundle.json`, `main.js`, `main.js.map` (optional) and
 * `assets/…`. The same files always give the same bytes, so the digest names the content.
 */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { constants, gunzip, gzip, gzipSync } from 'node:zlib';
import { type Asked, readAsked } from '../core/asked.ts';
import { Fault } from '../core/fault.ts';
import { TREATY_VERSION } from '../core/guest-protocol.ts';
import { isJsonObject, type Json, type JsonObject } from '../core/json.ts';
import type { Bundle } from '../core/ports.ts';
import { asBytes, asText } from '../lib/text.ts';
import { readTar, type TarFile, writeTar } from './tar.ts';

/** What `bundle.json` says. */
export type BundleManifest = {
  /** Letters, digits, `.`, `_`, `-`; at most 128. */
  readonly name: string;
  readonly version: string;
  /** The file to run; `main.js` in this version of the format. */
  readonly entry: string;
  /** TREATY_VERSION the code was bundled for. */
  readonly treaty: number;
  /** What the module asks for (core/asked.ts), as written; nothing is granted by it. */
  readonly capabilities?: JsonObject;
};

export type BundleFiles = {
  readonly manifest: BundleManifest;
  /** ES module text, one file, no imports left. */
  readonly code: string;
  /** Source map JSON, '' = none. */
  readonly sourceMap: string;
  /** By path below `assets/`. */
  readonly assets?: Readonly<Record<string, Uint8Array>>;
};

export type BundleLimits = {
  /** The archive as it travels, bytes. */
  readonly bytesMax: number;
  /** All files together, bytes. */
  readonly unpackedBytesMax: number;
  readonly filesMax: number;
};

export const defaultBundleLimits: BundleLimits = {
  bytesMax: 32 * 1024 * 1024,
  unpackedBytesMax: 64 * 1024 * 1024,
  filesMax: 1_000,
};

export const ENTRY = 'main.js';
const MANIFEST = 'bundle.json';
const SOURCE_MAP = `${ENTRY}.map`;
const gunzipLater = promisify(gunzip);
const gzipLater = promisify(gzip) as (bytes: Uint8Array, how: object) => Promise<Uint8Array>;

/** `sha256:<hex>` of these bytes. */
export function digestOf(bytes: Uint8Array): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

/** Throws a RangeError for an asset name no archive of ours may hold. */
export function packBundle(files: BundleFiles): { bytes: Uint8Array; digest: string } {
  const { name, version, entry, treaty, capabilities } = files.manifest;
  const manifest = { name, version, entry, treaty, ...(capabilities && { capabilities }) };
  const entries: TarFile[] = [
    { name: MANIFEST, data: asBytes(`${JSON.stringify(manifest, null, 2)}\n`) },
    { name: ENTRY, data: asBytes(files.code) },
  ];
  if (files.sourceMap !== '') entries.push({ name: SOURCE_MAP, data: asBytes(files.sourceMap) });
  for (const path of Object.keys(files.assets ?? {}).sort()) {
    const problem = nameProblem(path);
    if (problem !== undefined) throw new RangeError(`assets/${path} ${problem}`);
    entries.push({ name: `assets/${path}`, data: (files.assets ?? {})[path] as Uint8Array });
  }
  const bytes = archiveOf(writeTar(entries));
  return { bytes, digest: digestOf(bytes) };
}

const HOW = { level: constants.Z_BEST_COMPRESSION };

function archiveOf(tar: Uint8Array): Uint8Array {
  return madeAnywhere(gzipSync(tar, HOW));
}

/** The archive that `packBundle` makes of this tar; a large one takes a second, on a thread of its own. */
export async function archiveLater(tar: Uint8Array): Promise<Uint8Array> {
  return madeAnywhere(await gzipLater(tar, HOW));
}

/** gzip's "operating system unknown": the same bytes wherever they were made. */
function madeAnywhere(bytes: Uint8Array): Uint8Array {
  bytes[9] = 255;
  return bytes;
}

/** Rejects with BUNDLE_INVALID, all problems named. `digest` is that of `bytes`, when known already. */
export async function unpackBundle(
  bytes: Uint8Array,
  limits: BundleLimits = defaultBundleLimits,
  digest: string = digestOf(bytes),
): Promise<Bundle> {
  if (bytes.byteLength > limits.bytesMax) {
    throw invalid(digest, [
      `it has ${bytes.byteLength} bytes, at most ${limits.bytesMax} are taken`,
    ]);
  }
  const problems: string[] = [];
  const files = byName(readTar(await tarOf(bytes, digest, limits), problems), limits, problems);
  const manifest = readManifest(files.get(MANIFEST), problems);
  const code = readText(files, ENTRY, problems);
  if (!files.has(ENTRY)) problems.push(`${ENTRY} is missing`);
  const sourceMap = readText(files, SOURCE_MAP, problems);
  if (problems.length > 0) throw invalid(digest, problems);
  const { name, version, treaty, asked } = manifest;
  return { digest, name, version, treaty, ...(asked && { asked }), code, sourceMap };
}

/** Rejects with BUNDLE_INVALID when it is no archive, or larger than it may be. */
export async function tarOf(
  bytes: Uint8Array,
  digest: string,
  limits: BundleLimits,
): Promise<Uint8Array> {
  try {
    return await gunzipLater(bytes, { maxOutputLength: limits.unpackedBytesMax });
  } catch (cause) {
    const tooLarge = (cause as { code?: unknown }).code === 'ERR_BUFFER_TOO_LARGE';
    const problem = tooLarge
      ? `unpacked it has more than the ${limits.unpackedBytesMax} bytes that are taken`
      : `it is not a gzip file, or a damaged one (${(cause as Error).message})`;
    throw invalid(digest, [problem], cause);
  }
}

function byName(
  files: readonly TarFile[],
  limits: BundleLimits,
  problems: string[],
): ReadonlyMap<string, Uint8Array> {
  const result = new Map<string, Uint8Array>();
  if (files.length > limits.filesMax) {
    problems.push(`it has ${files.length} files, at most ${limits.filesMax} are taken`);
    return result;
  }
  for (const { name, data } of files) {
    const problem = nameProblem(name) ?? (result.has(name) ? 'is there twice' : undefined);
    if (problem !== undefined) problems.push(`${JSON.stringify(name)} ${problem}`);
    else result.set(name, data);
  }
  return result;
}

/** Names are relative, with `/` between their parts, and cannot lead anywhere else. */
function nameProblem(name: string): string | undefined {
  if (name === '') return 'is no file name';
  if (name.startsWith('/')) return 'is an absolute path';
  if (/[\\\0]/.test(name)) return 'has a backslash or a zero in its name';
  if (name.split('/').some((part) => part === '..' || part === '.' || part === '')) {
    return 'has an empty, "." or ".." part in its path';
  }
  return undefined;
}

const noManifest: BundleManifest = { name: '', version: '', entry: ENTRY, treaty: 0 };

function readManifest(
  data: Uint8Array | undefined,
  problems: string[],
): BundleManifest & { readonly asked?: Asked } {
  if (data === undefined) {
    problems.push(`${MANIFEST} is missing`);
    return noManifest;
  }
  const parsed = parseJson(data);
  if (parsed === undefined) {
    problems.push(`${MANIFEST} is not a JSON object`);
    return noManifest;
  }
  const { name, version, entry, treaty } = parsed;
  if (typeof name !== 'string' || !/^[A-Za-z0-9._-]{1,128}$/.test(name)) {
    problems.push(
      `${MANIFEST}: name must have letters, digits, ".", "_" and "-" only, at most 128; it is ${shown(name)}`,
    );
  }
  if (typeof version !== 'string' || version.length === 0 || version.length > 128) {
    problems.push(
      `${MANIFEST}: version must be a text of at most 128 characters; it is ${shown(version)}`,
    );
  }
  if (entry !== ENTRY) {
    problems.push(`${MANIFEST}: entry must be "${ENTRY}"; it is ${shown(entry)}`);
  }
  if (!serves(treaty)) {
    problems.push(
      `${MANIFEST}: made for treaty ${shown(treaty)}, this runtime speaks ${TREATY_VERSION} and the one before; bundle the module again with this version's tools`,
    );
  }
  const { capabilities } = parsed;
  const asked =
    capabilities === undefined
      ? undefined
      : readAsked(capabilities, `${MANIFEST}: capabilities`, problems);
  // Wrong types have been listed above: what stands in for them goes nowhere.
  return {
    name: name as string,
    version: version as string,
    entry: ENTRY,
    treaty: treaty as number,
    ...(asked && { asked }),
  };
}

function serves(treaty: Json | undefined): boolean {
  return treaty === TREATY_VERSION || (treaty === TREATY_VERSION - 1 && treaty > 0); // there was no 0
}

function parseJson(data: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(asText(data) ?? '');
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function readText(
  files: ReadonlyMap<string, Uint8Array>,
  name: string,
  problems: string[],
): string {
  const data = files.get(name);
  if (data === undefined) return '';
  const text = asText(data);
  if (text === undefined) problems.push(`${name} is not UTF-8 text`);
  return text ?? '';
}

function shown(value: Json | undefined): string {
  return value === undefined ? 'missing' : JSON.stringify(value).slice(0, 200);
}

function invalid(digest: string, problems: readonly string[], cause?: unknown): Fault {
  const short = `${digest.slice(0, 'sha256:'.length + 12)}…`;
  return new Fault('BUNDLE_INVALID', `bundle ${short} cannot be used: ${problems.join('; ')}`, {
    cause,
  });
}
