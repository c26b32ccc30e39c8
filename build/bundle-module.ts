/** Bundles the folder of one edge module into an archive: the same source gives the same bytes. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { ENTRY, packBundle } from '../src/artifacts/bundle-archive.ts';
import { readAsked } from '../src/core/asked.ts';
import { TREATY_VERSION } from '../src/core/guest-protocol.ts';
import { isJsonObject, type Json, type JsonObject } from '../src/core/json.ts';
import { BundleError, compileModule } from './compile-module.ts';

export { BundleError } from './compile-module.ts';

export type BundledModule = {
  readonly name: string;
  readonly version: string;
  /** Absolute path of the archive. */
  readonly file: string;
  /** `sha256:<hex>` */
  readonly digest: string;
  /** For `settings.image`: `file:///…#sha256=<hex>`. */
  readonly image: string;
  /** Size of the archive. */
  readonly bytes: number;
  /** What it asks to touch, as its package.json says it; absent = it declares nothing. */
  readonly capabilities?: JsonObject;
};

/** Where a module begins when its package.json has no `main`. */
const mains = ['src/main.ts', 'src/main.js', 'main.js', 'app.js', 'index.js'];

/** Writes `<outDir>/<name>-<version>.tgz`. Rejects with a BundleError. */
export async function bundleModule(
  dir: string,
  options: { readonly outDir: string },
): Promise<BundledModule> {
  const { folder, name, version, main, capabilities } = readPackage(dir);
  const { code, sourceMap } = await compileModule(folder, main);
  const manifest = {
    name,
    version,
    entry: ENTRY,
    treaty: TREATY_VERSION,
    ...(capabilities && { capabilities }),
  };
  const { bytes, digest } = packBundle({ manifest, code, sourceMap });
  mkdirSync(options.outDir, { recursive: true });
  const file = join(realpathSync(options.outDir), `${name}-${version}.tgz`);
  writeFileSync(file, bytes);
  const image = `${pathToFileURL(file).href}#${digest.replace(':', '=')}`;
  const asks = capabilities && { capabilities };
  return { name, version, file, digest, image, bytes: bytes.byteLength, ...asks };
}

/** A module's folder, and what its package.json says. */
export type Package = {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  readonly main: string;
  readonly capabilities: JsonObject | undefined;
};

/** Throws a BundleError with all problems. */
export function readPackage(dir: string): Package {
  const file = join(dir, 'package.json');
  if (!existsSync(file)) {
    throw new BundleError(
      `${dir} is no module: it has no package.json with a "name" and a "version"`,
    );
  }
  const folder = realpathSync(dir);
  const problems: string[] = [];
  const { name, version, main, isolet } = readObject(file, problems);
  const capabilities = readCapabilities(isolet, problems);
  // A scope is the registry's business: the bundle of @acme/filter is "filter".
  const plainName = String(name).replace(/^@[^/]*\//, '');
  if (typeof name !== 'string' || !/^[A-Za-z0-9._-]{1,128}$/.test(plainName)) {
    problems.push('"name" must have letters, digits, ".", "_" and "-" only');
  }
  if (typeof version !== 'string' || !/^[A-Za-z0-9._+-]{1,128}$/.test(version)) {
    problems.push('"version" must be a version like "1.0.0"');
  }
  const begins = typeof main === 'string' ? [main] : mains;
  const found = begins.find((path) =>
    statSync(join(folder, path), { throwIfNoEntry: false })?.isFile(),
  );
  if (found === undefined) {
    problems.push(`"main" names the file to begin with; there is no ${begins.join(', ')} here`);
  }
  if (problems.length > 0) {
    throw new BundleError(problems.map((problem) => `${file}: ${problem}`).join('\n'));
  }
  return {
    folder,
    name: plainName,
    version: version as string,
    main: found as string,
    capabilities,
  };
}

/** `"isolet": { "capabilities": … }`; undefined = it declares nothing. */
function readCapabilities(isolet: unknown, problems: string[]): JsonObject | undefined {
  if (isolet === undefined) return undefined;
  if (!isJsonObject(isolet as Json)) {
    problems.push('"isolet" must be an object with "capabilities"');
    return undefined;
  }
  const { capabilities, ...others } = isolet as JsonObject;
  for (const key of Object.keys(others)) {
    problems.push(`isolet.${key} is not known: there is isolet.capabilities`);
  }
  if (capabilities === undefined) return undefined;
  readAsked(capabilities, 'isolet.capabilities', problems);
  return isJsonObject(capabilities) ? capabilities : undefined;
}

function readObject(file: string, problems: string[]): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
    problems.push('it must hold a JSON object');
  } catch (cause) {
    problems.push(`it is not JSON: ${(cause as Error).message}`);
  }
  return {};
}
