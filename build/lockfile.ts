/**
 * Completes package-lock.json: `node build/lockfile.ts`, after every change of the dependencies.
 *
 * Some registries do not serve the builds of a tool for platforms nobody there uses. npm then leaves
 * them out of the lockfile, and the next `npm ci` refuses it as incomplete. Entries for other platforms
 * are never fetched, so their name, version and platform are all that is needed.
 */
import { readFileSync, writeFileSync } from 'node:fs';

type Entry = {
  version?: string;
  dev?: boolean;
  optional?: boolean;
  os?: string[];
  cpu?: string[];
  libc?: string[];
  optionalDependencies?: Record<string, string>;
};

const FILE = 'package-lock.json';
const lock = JSON.parse(readFileSync(FILE, 'utf8')) as { packages: Record<string, Entry> };
const platforms = ['android', 'darwin', 'freebsd', 'linux', 'openharmony', 'win32'];
const processors = ['arm64', 'arm', 'ia32', 'loong64', 'ppc64', 'riscv64', 's390x', 'x64'];

let added = 0;
for (const [place, entry] of Object.entries(lock.packages)) {
  if (place === '') continue;
  for (const [name, version] of Object.entries(entry.optionalDependencies ?? {})) {
    const key = `node_modules/${name}`;
    // A tool's own platform builds all have exact versions; anything else is npm's business.
    if (lock.packages[key] !== undefined || !/^\d+\.\d+\.\d+$/.test(version)) continue;
    lock.packages[key] = describe(name, version, entry.dev === true);
    added++;
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).sort(([a], [b]) => (a < b ? -1 : 1)),
);
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
process.stdout.write(`${added} platform packages added to ${FILE}\n`);

function describe(name: string, version: string, dev: boolean): Entry {
  const words = name.split(/[/-]/);
  // No platform in the name: one nobody has, so that it is never fetched.
  const os = platforms.find((platform) => words.includes(platform)) ?? 'none';
  const cpu = processors.find((processor) => words.includes(processor)) ?? 'wasm32';
  const libc = words.some((word) => word.startsWith('musl'))
    ? ['musl']
    : words.some((word) => word.startsWith('gnu'))
      ? ['glibc']
      : undefined;
  return {
    version,
    cpu: [cpu],
    ...(dev ? { dev } : {}),
    ...(libc === undefined ? {} : { libc }),
    optional: true,
    os: [os],
  };
}
