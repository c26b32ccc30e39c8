/**
 * Builds what ships into dist/: the prelude, the programs, the stock modules and their deployment.
 *
 *   node build/dist.ts [--quiet]
 *
 * Programs are bundled because stripping types at start costs 17 MB and 0.1 s. They share chunks, and
 * what is imported lazily stays a chunk of its own. Native and heavy packages stay in node_modules.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';
import { askedText, templateModules } from './asked-text.ts';
import { BundleError, bundleModule, moduleFolders, sizeText, writeDeployment } from './bundle.ts';
import { buildPrelude } from './guest.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');

/** Program in dist/ → where it begins. */
const programs: Readonly<Record<string, string>> = {
  isolet: 'src/cli/main.ts',
  emulator: 'src/emulator/main.ts',
  'certificate-maker': 'src/emulator/certificate-maker.ts',
  bundle: 'build/bundle.ts',
  check: 'src/check.ts',
  registry: 'src/registry-commands.ts',
  sign: 'src/sign-command.ts',
  'support-bundle': 'src/support-bundle.ts',
  develop: 'build/develop.ts',
  'debug-host': 'build/develop/debug-main.ts',
};

const WEB_SOCKETS = 'web-sockets-library';

/**
 * Those that run on a device, as CommonJS in one file each: without Node's loader for ES modules a
 * module host is there 20 ms sooner, and each of them takes some MB less.
 */
const devicePrograms: Readonly<Record<string, string>> = {
  supervisor: 'src/main.ts',
  host: 'src/host/main.ts',
  snapshot: 'src/host/snapshot-main.ts',
  'store-worker': 'src/store/worker.ts',
  // A module host may read nothing in node_modules but its addon; loaded with the first WebSocket.
  [WEB_SOCKETS]: 'node_modules/ws/index.js',
};

const external = [
  '@peculiar/x509',
  'azure-iot-*',
  'better-sqlite3',
  'esbuild',
  'isolated-vm',
  'mqtt*',
  'rhea',
  'ws',
];

type Built = { readonly name: string; readonly bytes: number; readonly asked?: string };

const entries = (all: Readonly<Record<string, string>>): { in: string; out: string }[] =>
  Object.entries(all)
    .filter(([, source]) => existsSync(join(root, source)))
    .map(([out, source]) => ({ in: source, out }));

const common = {
  absWorkingDir: root,
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node26',
  external,
  define: { ISOLET_DIST: 'true' },
  sourcemap: 'linked',
  sourcesContent: false,
  metafile: true,
  logLevel: 'error',
} satisfies BuildOptions;

async function buildPrograms(): Promise<readonly Built[]> {
  const { metafile } = await build({
    ...common,
    entryPoints: entries(programs),
    splitting: true,
    // Chunks lie beside the programs, so that `new URL('./prelude.js', import.meta.url)` is right in both.
    chunkNames: 'chunk-[hash]',
    format: 'esm',
  });
  const device = await build({
    ...common,
    entryPoints: entries(devicePrograms),
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    supported: { 'dynamic-import': false },
    define: { ...common.define, 'import.meta.url': 'moduleUrl' },
    banner: { js: "const moduleUrl = require('node:url').pathToFileURL(__filename).href;" },
    external: external.filter((name) => name !== 'ws'),
    plugins: [
      {
        name: 'web-sockets-library',
        setup({ onResolve }) {
          onResolve({ filter: /^ws$/ }, () => ({ path: `./${WEB_SOCKETS}.cjs`, external: true }));
        },
      },
    ],
  });
  const outputs = { ...metafile.outputs, ...device.metafile.outputs };
  const files = Object.entries(outputs).map(([path, { bytes }]) => ({
    name: basename(path),
    bytes,
  }));
  const current = new Set(files.map(({ name }) => name));
  for (const name of readdirSync(dist)) {
    if (name.startsWith('chunk-') && !current.has(name)) rmSync(join(dist, name));
  }
  const isChunk = ({ name }: Built): boolean => name.startsWith('chunk-');
  const scripts = files.filter(({ name }) => /\.c?js$/.test(name));
  const chunks = scripts.filter(isChunk);
  const shared = chunks.reduce((sum, { bytes }) => sum + bytes, 0);
  return [
    ...scripts.filter((file) => !isChunk(file)),
    { name: `${chunks.length} chunks they share`, bytes: shared },
  ];
}

async function writePrelude(): Promise<Built> {
  const prelude = await buildPrelude();
  writeFileSync(join(dist, 'prelude.js'), prelude);
  return { name: 'prelude.js', bytes: prelude.length };
}

async function buildModules(): Promise<readonly (Built & { readonly asked: string })[]> {
  const outDir = join(dist, 'modules');
  const folders = moduleFolders(root);
  const modules = await Promise.all(folders.map((folder) => bundleModule(folder, { outDir })));
  const template = join(root, 'modules', 'deployment.template.json');
  writeDeployment(template, modules, join(dist, 'deployment.json'));
  const granted = templateModules(readFileSync(template, 'utf8'));
  return modules.map(({ name, file, bytes, capabilities }) => ({
    name: `modules/${basename(file)}`,
    bytes,
    asked: askedText(name, capabilities, granted),
  }));
}

const startedAt = performance.now();
mkdirSync(dist, { recursive: true });
try {
  const built = await Promise.all([writePrelude(), buildPrograms(), buildModules()]);
  if (!process.argv.includes('--quiet')) {
    for (const { name, bytes, asked = '' } of built.flat() as readonly Built[]) {
      const line = `${sizeText(bytes).padStart(10)}  dist/${name}`;
      console.log(`${line}\n${asked.replace(/^(?=.)/gm, ' '.repeat(10))}`.trimEnd());
    }
    console.log(`built in ${Math.round(performance.now() - startedAt)} ms`);
  }
} catch (cause) {
  // esbuild has told its own errors already.
  if (cause instanceof BundleError) console.error(cause.message);
  else if (!(cause instanceof Error && 'errors' in cause)) throw cause;
  process.exitCode = 1;
}
