/** Bundles the folder of one edge module into an archive: the same source gives the same bytes. */
import {
  existsSync,
  mkdirSync,
  readFileSync,
  realpathSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  type BuildFailure,
  type BuildOptions,
  build,
  formatMessages,
  type Location,
  type Message,
} from 'esbuild';
import { ENTRY, packBundle } from '../src/artifacts/bundle-archive.ts';
import { readAsked } from '../src/core/asked.ts';
import { TREATY_VERSION } from '../src/core/guest-protocol.ts';
import { isJsonObject, type Json, type JsonObject } from '../src/core/json.ts';
import { installersFor } from './guest-globals.ts';
import { guestNames, guestPlugin } from './guest-plugin.ts';

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

/** The module cannot be bundled; the message is for its author, several lines of `file:line:column`. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
}

/** Where a module begins when its package.json has no `main`. */
const mains = ['src/main.ts', 'src/main.js', 'main.js', 'app.js', 'index.js'];

/** Writes `<outDir>/<name>-<version>.tgz`. Rejects with a BundleError. */
export async function bundleModule(
  dir: string,
  options: { readonly outDir: string },
): Promise<BundledModule> {
  const { folder, name, version, main, capabilities } = readPackage(dir);
  const plain = await compile(folder, main, []);
  const inject = installersFor(plain.code);
  const { code, sourceMap } = inject.length === 0 ? plain : await compile(folder, main, inject);
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

type Package = {
  readonly folder: string;
  readonly name: string;
  readonly version: string;
  readonly main: string;
  readonly capabilities: JsonObject | undefined;
};

function readPackage(dir: string): Package {
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

/** How a module's code is made of its sources: the same for a bundle and while it is being written. */
export function bundleOptions(folder: string, main: string, inject: readonly string[]) {
  const ownConfig = existsSync(join(folder, 'tsconfig.json'));
  return {
    absWorkingDir: folder,
    entryPoints: [main],
    outfile: join(folder, ENTRY),
    write: false,
    bundle: true,
    format: 'esm',
    platform: 'neutral',
    // Without Node's world, a package's variant for browsers and workers is the likelier to run.
    mainFields: ['browser', 'module', 'main'],
    conditions: ['worker', 'browser', 'module'],
    target: 'es2024',
    charset: 'ascii', // one character beyond Latin-1 doubles the source in memory
    keepNames: true, // templates print `result.constructor.name`
    sourcemap: 'external',
    sourcesContent: false,
    legalComments: 'none',
    treeShaking: true,
    define: { global: 'globalThis' },
    nodePaths: [],
    // A configuration in a folder above is no part of the module.
    ...(ownConfig ? {} : { tsconfigRaw: '{}' }),
    inject: [...inject],
    plugins: [guestPlugin],
    logLevel: 'silent',
  } satisfies BuildOptions;
}

async function compile(
  folder: string,
  main: string,
  inject: readonly string[],
): Promise<CompiledModule> {
  try {
    const { outputFiles } = await build(bundleOptions(folder, main, inject));
    return compiled(outputFiles);
  } catch (cause) {
    throw await explained(cause, folder);
  }
}

export type CompiledModule = { readonly code: string; readonly sourceMap: string };

/** What esbuild made with `bundleOptions`. */
export function compiled(files: readonly { path: string; text: string }[]): CompiledModule {
  const text = (ending: string): string =>
    files.find((file) => file.path.endsWith(ending))?.text ?? '';
  return { code: text('.js'), sourceMap: text('.map') };
}

/** A BundleError for what esbuild says about the author's sources; anything else as it is. */
export async function explained(cause: unknown, folder: string): Promise<unknown> {
  const { errors } = cause as Partial<BuildFailure>;
  if (errors === undefined) return cause;
  return new BundleError(await explain(errors, folder), { cause });
}

async function explain(errors: readonly Message[], folder: string): Promise<string> {
  const lines = await formatMessages(
    errors.map((error) => ({
      ...error,
      ...explainImport(error.text),
      location: error.location && inFolder(error.location, folder),
    })),
    { kind: 'error', color: false },
  );
  return lines.join('').trimEnd();
}

function inFolder(location: Location, folder: string): Location {
  const own = location.namespace === 'file' || location.namespace === '';
  return own ? { ...location, file: join(folder, location.file) } : location;
}

/** Says what a module can do about an import that leads nowhere. */
function explainImport(text: string): { text?: string; notes?: { text: string }[] } {
  const name = /^Could not resolve "(.+)"$/.exec(text)?.[1];
  if (name === undefined || name.startsWith('.') || name.startsWith('/')) return {};
  if (!isBuiltin(name)) {
    return {
      text: `The package "${name}" is not installed`,
      notes: [
        { text: `Run "npm install" in the module's folder, or add it with "npm install ${name}".` },
      ],
    };
  }
  const builtins = guestNames.filter((each) => isBuiltin(each) && !each.startsWith('node:'));
  const packages = guestNames.filter((each) => !isBuiltin(each));
  return {
    text: `Node's "${name}" does not exist in a module`,
    notes: [
      {
        text: `A module runs in an isolate, not in Node. There are the globals of the web (fetch, timers, console, TextEncoder, structuredClone …), of Node's own modules ${builtins.join(', ')}, and ${packages.join(', ')}. A package that does the same in plain JavaScript can be installed with npm.`,
      },
    ],
  };
}
