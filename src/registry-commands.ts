/** `isolet push` and `isolet inspect`: bundles into container registries, and a look at what lies there. */
import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import { defaultBundleLimits, digestOf, unpackBundle } from './artifacts/bundle-archive.ts';
import { parseImageReference } from './artifacts/image-reference.ts';
import { pushBundle } from './artifacts/push-bundle.ts';
import { openRegistryImage } from './artifacts/registry.ts';
import { readSignatures, SIGNATURES_ANNOTATION } from './core/bundle-signature.ts';
import { Fault } from './core/fault.ts';
import { type RegistryLogin, registryHost } from './core/registry-credentials.ts';
import { type RegistryName, showRegistryName } from './core/registry-name.ts';
import { readDockerLogin } from './docker-login.ts';
import { printable } from './lib/printable.ts';
import { systemClock } from './lib/system-clock.ts';

const HELP = `isolet push BUNDLE.tgz IMAGE     brings a bundle into a container registry
isolet inspect IMAGE|BUNDLE.tgz  what a bundle is and what it asks for

IMAGE is registry.example:5000/name:tag, for inspect with @sha256:… as well.

  --username NAME    who you are there; else what "docker login" keeps
  --password-stdin   its password is the first line of the input
  --insecure         speak plain HTTP with this registry; one of this machine needs no asking
  --json             print JSON
  -h, --help         print this
`;

const REQUEST_MS = 120_000;
const limits = { fetchTimeoutMs: 600_000, stallTimeoutMs: 30_000 };

type Options = {
  readonly username?: string | undefined;
  readonly 'password-stdin': boolean;
  readonly insecure: boolean;
};

try {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      username: { type: 'string' },
      'password-stdin': { type: 'boolean', default: false },
      insecure: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) process.stdout.write(HELP);
  else {
    const result = await run(positionals, values);
    const rows = Object.entries(result).map(([key, value]) => {
      const text = typeof value === 'string' ? value : JSON.stringify(value);
      return `${key.padEnd(9)} ${text}\n`;
    });
    // A bundle may be anybody's.
    process.stdout.write(values.json ? `${JSON.stringify(result)}\n` : printable(rows.join('')));
  }
} catch (cause) {
  const foreseen =
    cause instanceof Fault || (cause as { code?: string }).code?.startsWith('ERR_PARSE_ARGS');
  if (!foreseen) throw cause;
  process.stderr.write(`isolet ${process.argv[2] ?? ''}: ${(cause as Error).message}\n`);
  process.exitCode = 1;
}

async function run(words: readonly string[], options: Options): Promise<object> {
  const [command, first, second, ...more] = words;
  if (command === 'push' && first !== undefined && second !== undefined && more.length === 0) {
    return push(first, second, options);
  }
  if (command === 'inspect' && first !== undefined && second === undefined) {
    return inspect(first, options);
  }
  const usage = command === 'push' ? 'push BUNDLE.tgz IMAGE' : 'inspect IMAGE|BUNDLE.tgz';
  throw new Fault('CONFIG_INVALID', `usage: isolet ${usage}. See --help.`);
}

/** The bundle is read first: nothing that no device would take gets into a registry. */
async function push(file: string, image: string, options: Options): Promise<object> {
  const name = registryName(image);
  if (name.byDigest) {
    throw new Fault('IMAGE_INVALID', `${image}: push to a tag; the digest comes of itself`);
  }
  const bytes = readBundle(file);
  const { name: module, version } = await unpackBundle(bytes);
  const digest = await pushBundle(bytes, name, {
    login: readLogin(name, options),
    insecure: options.insecure ? [name.host] : [],
    annotations: {
      'org.opencontainers.image.title': `${module}-${version}.tgz`,
      'org.opencontainers.image.version': version,
      ...signaturesOf(file),
    },
    timeoutMs: REQUEST_MS,
  });
  return {
    pushed: showRegistryName(name),
    image: showRegistryName({ ...name, reference: digest, byDigest: true }),
    bytes: bytes.byteLength,
  };
}

async function inspect(what: string, options: Options): Promise<object> {
  if (existsSync(what)) {
    const signed = signers(signatureLines(what));
    return describe(readBundle(what), { file: basename(what), signed });
  }
  const name = registryName(what);
  const image = openRegistryImage(name, {
    login: readLogin(name, options),
    insecure: options.insecure ? [name.host] : [],
    limits,
    clock: systemClock,
  });
  const { layer, digest, annotations } = await image.resolve();
  if (layer.bytes > defaultBundleLimits.bytesMax) {
    throw new Fault('BUNDLE_INVALID', `${what} has ${layer.bytes} bytes, more than a device takes`);
  }
  const bytes = await receive(await image.open(layer, 0), layer.bytes);
  if (digestOf(bytes) !== `sha256:${layer.sha256}`) {
    throw new Fault(
      'BUNDLE_INVALID',
      `the registry holds something else than the manifest of ${what} says: push it again`,
    );
  }
  const byDigest = showRegistryName({ ...name, reference: digest, byDigest: true });
  const signatures = (annotations[SIGNATURES_ANNOTATION] ?? '').split(' ');
  return describe(bytes, { image: byDigest, signed: signers(signatures) });
}

async function receive(
  download: Awaited<ReturnType<ReturnType<typeof openRegistryImage>['open']>>,
  bytesMax: number,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of download.chunks) {
      size += chunk.byteLength;
      chunks.push(chunk);
      if (size > bytesMax) break; // its digest will be wrong
    }
  } finally {
    download.close();
  }
  return Buffer.concat(chunks);
}

async function describe(bytes: Uint8Array, where: object): Promise<object> {
  const { name, version, treaty, digest, asked } = await unpackBundle(bytes);
  return {
    module: name,
    version,
    ...where,
    digest,
    bytes: bytes.byteLength,
    treaty,
    asks: asked ?? 'declares nothing and gets what is granted',
  };
}

/** What `isolet sign` left beside the bundle. */
function signatureLines(file: string): readonly string[] {
  return existsSync(`${file}.sig`) ? readFileSync(`${file}.sig`, 'utf8').split('\n') : [];
}

function signaturesOf(file: string): Readonly<Record<string, string>> {
  const texts = readSignatures(signatureLines(file)).map(({ name, value }) => `${name}:${value}`);
  return texts.length === 0 ? {} : { [SIGNATURES_ANNOTATION]: texts.join(' ') };
}

/** Whether it is right is for a device to say, which has the keys. */
function signers(texts: readonly string[]): string {
  const names = readSignatures(texts).map(({ name }) => name);
  return names.length === 0 ? 'by nobody' : `by ${names.join(', ')}, as it says`;
}

function registryName(image: string): RegistryName {
  const reference = parseImageReference(image, process.cwd());
  if (reference.kind === 'registry') return reference.name;
  throw new Fault(
    'IMAGE_INVALID',
    `${reference.shown} is in no container registry: write registry.example:5000/name:tag`,
  );
}

function readBundle(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new Fault('CONFIG_INVALID', `${file} cannot be read (${code}): name a bundle`, { cause });
  }
}

function readLogin({ host }: RegistryName, options: Options): RegistryLogin | undefined {
  const { username } = options;
  if (username === undefined && !options['password-stdin']) {
    return readDockerLogin(join(homedir(), '.docker'), registryHost(host));
  }
  if (username === undefined || !options['password-stdin']) {
    throw new Fault('CONFIG_INVALID', '--username and --password-stdin go together');
  }
  return { username, password: readFileSync(0, 'utf8').split(/\r?\n/)[0] as string };
}
