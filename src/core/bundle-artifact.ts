/**
 * A bundle as an OCI artifact: a manifest of type `application/vnd.isolet.bundle.v1` with the archive as
 * its one layer. Registries from before artifacts know the type by that of the manifest's config.
 */
import { isJsonObject, type Json, type JsonObject } from './json.ts';

const BUNDLE_TYPE = 'application/vnd.isolet.bundle.v1';
const BUNDLE_LAYER_TYPE = 'application/vnd.isolet.bundle.layer.v1.tar+gzip';
const DELTA_TYPE = 'application/vnd.isolet.bundle.delta.v1+zstd';
/** Of a delta's layer: the digest of the archive it starts from. */
const FROM_ANNOTATION = 'vnd.isolet.bundle.delta.from';
/** More would be a manifest nobody means. */
const DELTAS_MAX = 32;

const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json';
const OCI_INDEX = 'application/vnd.oci.image.index.v1+json';
const DOCKER_MANIFEST = 'application/vnd.docker.distribution.manifest.v2+json';
const DOCKER_LIST = 'application/vnd.docker.distribution.manifest.list.v2+json';

/** What we take for an answer. */
export const MANIFEST_TYPES = [OCI_MANIFEST, DOCKER_MANIFEST, OCI_INDEX, DOCKER_LIST] as const;

/** The config of a bundle says nothing. */
export const EMPTY_CONFIG = {
  text: '{}',
  digest: 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a',
} as const;

/** A blob of a registry. */
export type Blob = {
  /** Lower-case hex. */
  readonly sha256: string;
  readonly bytes: number;
};

/** The archive again, as what it differs by from another one. */
export type Delta = Blob & {
  /** Of that archive, lower-case hex. */
  readonly from: string;
};

export type Artifact =
  | {
      readonly kind: 'bundle';
      readonly layer: Blob;
      readonly deltas: readonly Delta[];
      readonly annotations: Readonly<Record<string, string>>;
    }
  /** A list with one bundle in it: the manifest to go on to. */
  | { readonly kind: 'elsewhere'; readonly digest: string };

/** A sentence that goes on after the image's name, when it is no bundle. */
export function readArtifact(manifest: Json | undefined): Artifact | string {
  if (!isJsonObject(manifest)) return 'has a manifest that is not a JSON object';
  const { schemaVersion, mediaType, config, layers, manifests, artifactType } = manifest;
  if (schemaVersion !== 2) {
    return `has a manifest of schema version ${JSON.stringify(schemaVersion ?? null)}; 2 is taken`;
  }
  if (mediaType === OCI_INDEX || mediaType === DOCKER_LIST || Array.isArray(manifests)) {
    return readIndex(manifests);
  }
  const configType = isJsonObject(config) ? config['mediaType'] : undefined;
  if (artifactType !== BUNDLE_TYPE && configType !== BUNDLE_TYPE) {
    const what = typeof artifactType === 'string' ? `of type ${artifactType}` : 'of a container';
    return `is an image ${what}, not a bundle: build the module with "isolet build" and push it with "isolet push"`;
  }
  const [layer, ...more] = Array.isArray(layers) ? (layers as readonly Json[]) : [];
  const blob = readBlob(layer);
  const deltas = more.slice(0, DELTAS_MAX).flatMap((one) => readDelta(one) ?? []);
  if (blob === undefined || more.length !== deltas.length) {
    return 'has a manifest that does not name one layer with its digest and size, as a bundle has: push it again';
  }
  return {
    kind: 'bundle',
    layer: blob,
    deltas,
    annotations: readAnnotations(manifest['annotations']),
  };
}

function readIndex(manifests: Json | undefined): Artifact | string {
  const all = Array.isArray(manifests) ? manifests.filter(isJsonObject) : [];
  const bundles = all.filter((one) => one['artifactType'] === BUNDLE_TYPE);
  const [only, ...more] = bundles.length > 0 || all.length > 1 ? bundles : all;
  const blob = readBlob(only);
  if (blob !== undefined && more.length === 0) {
    return { kind: 'elsewhere', digest: `sha256:${blob.sha256}` };
  }
  return `is a list of ${all.length} images, of which ${bundles.length} are bundles; it must be one: name the bundle by its own tag or digest`;
}

function readDelta(value: Json): Delta | undefined {
  const blob = readBlob(value);
  const layer = isJsonObject(value) ? value : {};
  const { [FROM_ANNOTATION]: from = '' } = readAnnotations(layer['annotations']);
  const hex = /^sha256:([0-9a-f]{64})$/.exec(from)?.[1];
  if (blob === undefined || hex === undefined || layer['mediaType'] !== DELTA_TYPE)
    return undefined;
  return { ...blob, from: hex };
}

function readBlob(value: Json | undefined): Blob | undefined {
  const { digest, size } = isJsonObject(value) ? value : {};
  const hex = typeof digest === 'string' ? /^sha256:([0-9a-f]{64})$/.exec(digest)?.[1] : undefined;
  if (hex === undefined || !Number.isSafeInteger(size) || (size as number) < 0) return undefined;
  return { sha256: hex, bytes: size as number };
}

function readAnnotations(value: Json | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(isJsonObject(value) ? value : {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );
}

/** The manifest `isolet push` writes; the same bundle always gives the same text. */
export function bundleManifest(
  layer: Blob,
  annotations: Readonly<Record<string, string>>,
  deltas: readonly Delta[] = [],
): JsonObject {
  return {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    artifactType: BUNDLE_TYPE,
    config: { mediaType: BUNDLE_TYPE, digest: EMPTY_CONFIG.digest, size: EMPTY_CONFIG.text.length },
    layers: [
      { mediaType: BUNDLE_LAYER_TYPE, digest: `sha256:${layer.sha256}`, size: layer.bytes },
      ...deltas.map(({ sha256, bytes, from }) => ({
        mediaType: DELTA_TYPE,
        digest: `sha256:${sha256}`,
        size: bytes,
        annotations: { [FROM_ANNOTATION]: `sha256:${from}` },
      })),
    ],
    annotations,
  };
}
