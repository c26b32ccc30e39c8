/**
 * A module's sources as the one script an isolate runs.
 *
 * CommonJS without "use strict" is sloppy JavaScript, and much of npm is: as soon as such a file is in
 * a bundle all of it becomes a classic script, as its authors knew it (docs/decisions/0015-sloppy-bundles.md). A bundle of
 * ES modules alone stays one, and strict.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  type BuildFailure,
  type BuildOptions,
  build,
  type Message,
  type Metafile,
  type Plugin,
} from 'esbuild';
import { ENTRY } from '../src/artifacts/bundle-archive.ts';
import { SCRIPT_MARK } from '../src/core/guest-protocol.ts';
import { ENTRY_POINT, entryPoint } from './entry-point.ts';
import { explainErrors } from './explain-errors.ts';
import { isGuarded } from './guarded-import.ts';
import { installersFor } from './guest-globals.ts';
import { guestPlugin } from './guest-plugin.ts';
import { nativeAddons } from './native-addons.ts';
import { placeNames, placeOf } from './place-names.ts';

export type CompiledModule = {
  readonly code: string;
  /** JSON. */
  readonly sourceMap: string;
};

/** The module cannot be bundled; the message is for its author, several lines of `file:line:column`. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
}

/** What a file tried out at a desk has more than a module (build/develop). */
export type CompileExtras = {
  readonly plugins?: readonly Plugin[];
  /** Installs all globals by itself, in the place of those of guest-globals.ts; one of `plugins` knows it. */
  readonly installer?: string;
  /** Code that runs last. */
  readonly footer?: string;
  /** The folder from which sources are named in the map; by default the module's. */
  readonly seenFrom?: string;
  /** Kept by whoever compiles the same again: what the last time found out. */
  readonly memory?: { attempt?: unknown };
};

/** How one attempt differs from the next. */
type Attempt = {
  readonly form: 'module' | 'script' | 'async script';
  readonly inject: readonly string[];
  /** Imports that lead nowhere and may: `<importer>\0<name>`. */
  readonly guarded: ReadonlySet<string>;
  /** Packages that load compiled code. */
  readonly addons: ReadonlySet<string>;
};

type Built = CompiledModule & { readonly metafile: Metafile };

const formats = {
  module: { format: 'esm' },
  script: { format: 'iife', banner: { js: SCRIPT_MARK }, footer: { js: 'void 0;' } },
  'async script': {
    format: 'esm',
    banner: { js: `${SCRIPT_MARK}\n(async () => {` },
    footer: { js: '})();\nvoid 0;' },
  },
} satisfies Record<Attempt['form'], BuildOptions>;

const FIRST: Attempt = { form: 'module', inject: [], guarded: new Set(), addons: new Set() };

/** `main` is below `folder`, which is absolute. Rejects with a BundleError that tells all problems. */
export async function compileModule(
  folder: string,
  main: string,
  extras: CompileExtras = {},
): Promise<CompiledModule> {
  const { memory = {}, seenFrom = folder, footer = '' } = extras;
  const sloppy = new Set<string>();
  const found = new Set<string>();
  const ownConfig = join(folder, 'tsconfig.json');
  const tsconfig = existsSync(ownConfig) ? readFileSync(ownConfig, 'utf8') : '{}';
  const installers = ({ inject }: Attempt): readonly string[] =>
    extras.installer === undefined ? inject : [extras.installer];
  const options = (attempt: Attempt): BuildOptions => ({
    absWorkingDir: folder,
    entryPoints: [installers(attempt).length > 0 ? ENTRY_POINT : main],
    outfile: join(seenFrom, ENTRY),
    write: false,
    metafile: true,
    bundle: true,
    // Only so a package's `browser` map holds.
    platform: 'browser',
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
    // The environment is the deployment's to say, not the build's.
    define: { global: 'globalThis', 'process.env.NODE_ENV': 'process.env.NODE_ENV' },
    nodePaths: [],
    // A configuration in a folder above is no part of the module.
    ...(existsSync(ownConfig) ? {} : { tsconfigRaw: '{}' }),
    ...formats[attempt.form],
    alias: Object.fromEntries([...attempt.addons].map((name) => [name, `${NO_ADDON}${name}`])),
    plugins: [
      ...(extras.plugins ?? []),
      entryPoint(folder, main, installers(attempt)),
      guestPlugin,
      nativeAddons(found),
      {
        name: 'isolet-guarded-imports',
        setup({ onResolve }) {
          if (attempt.guarded.size === 0) return;
          onResolve({ filter: /^[a-z@]/ }, ({ path, importer }) =>
            attempt.guarded.has(`${importer}\0${path}`) ? { path, external: true } : undefined,
          );
        },
      },
      placeNames(folder, join(folder, main), tsconfig, sloppy),
    ],
    logLevel: 'silent',
  });
  let attempt = (memory.attempt as Attempt | undefined) ?? FIRST;
  for (let tries = 0; ; tries++) {
    try {
      const built = await compile(options(attempt));
      const inject =
        extras.installer === undefined ? installersFor(withoutGlobals(built.code)) : [];
      const next = improve(attempt, built, inject, folder, sloppy);
      if (next !== undefined && tries < TRIES_MAX) {
        attempt = next;
        continue;
      }
      memory.attempt = attempt;
      const { code, sourceMap } = finish(built, attempt, placeOf(folder, join(folder, main)));
      return { code: withFooter(code, attempt, footer), sourceMap };
    } catch (cause) {
      const { errors } = cause as Partial<BuildFailure>;
      if (errors === undefined) throw cause;
      const next = tries < TRIES_MAX ? retry(attempt, errors, folder, found) : undefined;
      if (next === undefined) {
        throw new BundleError(await explainErrors(errors, folder), { cause });
      }
      attempt = next;
    }
  }
}

/** Each reason for another attempt comes up once or twice. */
const TRIES_MAX = 8;
export const NO_ADDON = './native-addon/';

async function compile(options: BuildOptions): Promise<Built> {
  const { outputFiles = [], metafile } = await build(options);
  const text = (ending: string): string =>
    outputFiles.find((file) => file.path.endsWith(ending))?.text ?? '';
  return { code: text('.js'), sourceMap: text('.map'), metafile: metafile as Metafile };
}

/** Without the code of the globals themselves, which name each other and import what they need. */
function withoutGlobals(code: string): string {
  return code
    .split(/^\s*\/\/ (?=\S)/m)
    .filter((file) => !/^isolet:src\/guest\/(?:web|crypto)\//.test(file))
    .join('');
}

/** What a bundle that was made lacks: undefined = nothing. */
function improve(
  attempt: Attempt,
  { metafile }: Built,
  inject: readonly string[],
  folder: string,
  sloppy: ReadonlySet<string>,
): Attempt | undefined {
  const isSloppy = Object.entries(metafile.inputs).some(
    ([path, { format }]) => format !== 'esm' && sloppy.has(join(folder, path)),
  );
  const form = isSloppy && attempt.form === 'module' ? 'script' : attempt.form;
  const isSame = form === attempt.form && inject.every((file) => attempt.inject.includes(file));
  return isSame ? undefined : { ...attempt, form, inject };
}

/** What may make these errors go away: undefined = nothing. */
function retry(
  attempt: Attempt,
  errors: readonly Message[],
  folder: string,
  found: ReadonlySet<string>,
): Attempt | undefined {
  const addons = new Set([...attempt.addons, ...found]);
  if (addons.size > attempt.addons.size) return { ...attempt, addons };
  const guarded = new Set(attempt.guarded);
  for (const { text, location } of errors) {
    const name = /^Could not resolve "([^"]+)"/.exec(text)?.[1];
    if (name === undefined || !location?.file.includes('node_modules/')) continue;
    const file = join(folder, location.file);
    if (isGuarded(readFileSync(file, 'utf8'), location.line, location.column)) {
      guarded.add(`${file}\0${name}`);
    }
  }
  if (guarded.size > attempt.guarded.size) return { ...attempt, guarded };
  const says = (words: RegExp): boolean => errors.some(({ text }) => words.test(text));
  if (attempt.form === 'module' && says(/\bstrict mode\b|in an ECMAScript module/)) {
    return { ...attempt, form: 'script' };
  }
  if (attempt.form === 'script' && says(/^Top-level await/)) {
    return { ...attempt, form: 'async script' };
  }
  return undefined;
}

/** Where esbuild's own `require` ends: for names that are in no bundle. */
const NO_REQUIRE = /throw Error\('Dynamic require of "' \+ (\w+) \+ '" is not supported'\)/;

/** What `keepNames` puts before a bundle: most functions have their name, and saying it again costs each a shape. */
const NAMING = 'var __name = (target, value) => __defProp(';
const NAMING_WHERE_NEEDED =
  'var __name = (target, value) => target.name === value ? target : __defProp(';

function finish({ code, sourceMap }: Built, { form }: Attempt, place: string): CompiledModule {
  const lines = code
    .replace(NAMING, NAMING_WHERE_NEEDED)
    .replace(
      NO_REQUIRE,
      `throw Object.assign(Error("Cannot find module '" + $1 + "': it is not in this bundle"), { code: "MODULE_NOT_FOUND" })`,
    );
  // Nobody imports a module; within a function its exports would be no syntax.
  const own =
    form === 'async script' ? lines.replace(/\nexport \{[^{}]*\};\n(?=\}\)\(\);)/, '\n') : lines;
  // `argv[1]` is how a file asks whether it is the one that was started.
  const named = /\bargv\b/.test(own) ? argvLine(own, place) : own;
  return { code: named, sourceMap };
}

/** Of the seam (src/guest/seam.ts): rejections from now on are not the loading's. */
const LOADED = `;globalThis[Symbol.for('isolet.treaty.1')].loaded?.();`;

/** Before the end of a script's function, if it has one that may still be waiting then. */
function withFooter(code: string, { form }: Attempt, footer: string): string {
  const { footer: last = { js: '' } }: BuildOptions = formats[form];
  const at = code.lastIndexOf(last['js'] as string);
  return `${code.slice(0, at)}${LOADED}\n${footer}${code.slice(at)}`;
}

/** On the first line of code, so that the source map stays true. */
function argvLine(code: string, place: string): string {
  const set = `process.argv[1] = ${JSON.stringify(place)};`;
  const at = code.startsWith(SCRIPT_MARK) ? SCRIPT_MARK.length + 1 : 0;
  return `${code.slice(0, at)}${set}${code.slice(at)}`;
}
