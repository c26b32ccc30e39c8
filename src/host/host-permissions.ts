/**
 * What a module-host process may touch, as flags of Node's permission model: its own program and the
 * files and devices its modules were granted, and the network if one of them was; no children, no
 * workers, no inspector, no databases
 * (docs/decisions/0007-rights-of-a-host.md).
 */
import { existsSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';
import type { Grants } from '../core/ports.ts';
import { linuxDevices } from './device-check.ts';
import { localRealPath } from './local-real-path.ts';

/** The only addon, and what finds its binary. */
const ADDON = 'isolated-vm';
const ADDON_FINDER = 'node-gyp-build';
/** In dist/ it lies beside the program (build/dist.ts). */
const WEB_SOCKETS = 'ws';

/** The right to call what the C library has. */
export const ALLOW_FFI = '--allow-ffi';

/** @param all what the modules of the host are granted. @param hostMain the program the host runs. */
export function permissionFlags(hostMain: string, all: readonly Grants[]): readonly string[] {
  const binds = all.flatMap((grants) => grants.binds);
  const granted = binds.flatMap(({ source }) => names(source));
  const written = binds.filter(({ writable }) => writable);
  const devices = linuxDevices(all.flatMap((grants) => grants.devices));
  const devicePaths = devices.flatMap(({ path }) => names(path));
  // src/host/file-access.ts looks at /proc/self/fd for what it has opened.
  const read = [...programPaths(hostMain), '/proc/self/fd', ...granted, ...devicePaths];
  const write = [...written.flatMap(({ source }) => names(source)), ...devicePaths];
  return [
    '--permission',
    '--allow-addons',
    // Its permissions do not hold for node:sqlite (26.10), which opens and makes any file.
    '--no-experimental-sqlite',
    // It is about --allow-addons, which we mean, and would be the first line of every host.
    '--disable-warning=SecurityWarning',
    // For ioctl (src/host/devices/kernel.ts), and only where there is something to call it for.
    ...(devices.length > 0 ? [ALLOW_FFI] : []),
    ...(all.some(usesNetwork) ? ['--allow-net'] : []),
    // Node says of both that they are an experiment, and would in every host's first line.
    '--disable-warning=ExperimentalWarning',
    ...patterns(read).map((path) => `--allow-fs-read=${path}`),
    ...patterns(write).map((path) => `--allow-fs-write=${path}`),
  ];
}

/** Has a host with the rights for `granted` those for the binds of `wanted`, too? Devices: device-check.ts. */
export function covers(granted: readonly Grants[], wanted: Grants): boolean {
  if (usesNetwork(wanted) && !granted.some(usesNetwork)) return false;
  const binds = granted.flatMap((grants) => grants.binds);
  return wanted.binds.every(({ source, writable }) =>
    binds.some((one) => one.source === source && (one.writable || !writable)),
  );
}

/**
 * Node knows only yes or no; which hosts and ports is held by src/host/network-access.ts and
 * src/host/http-server-service.ts.
 */
function usesNetwork({ network, ports }: Grants): boolean {
  return network.hosts.length > 0 || ports.some(({ published }) => published.length > 0);
}

/** A granted file or folder by its name, and by what the name leads to. */
function names(source: string): readonly string[] {
  return [source, localRealPath(source)];
}

/**
 * Each path and all below it, in a form that survives Node's radix tree (26.10): there a path is lost
 * after another below it, and a folder itself when a neighbour's name begins with its own. Both then
 * get one pattern for all names that begin so, and the fence between them is file-access.ts alone.
 */
function patterns(paths: readonly string[]): readonly string[] {
  const unique = [...new Set(paths)];
  const shortest = unique.filter(
    (path) => !unique.some((other) => other !== path && path.startsWith(other)),
  );
  return shortest.flatMap((path) => {
    const crowded = unique.some((other) => other.startsWith(path) && !isBelow(path, other));
    return crowded ? [`${path}*`] : [path, `${path}/*`];
  });
}

function isBelow(folder: string, path: string): boolean {
  return path === folder || path.startsWith(`${folder}/`);
}

function programPaths(hostMain: string): readonly string[] {
  const paths = [hostMain];
  const root = packageRoot(dirname(hostMain));
  if (root !== undefined) {
    const [folder] = relative(root, hostMain).split(sep) as [string];
    paths.push(join(root, 'package.json'), join(root, folder));
  }
  const addon = installed(ADDON, hostMain);
  if (addon === undefined) return paths;
  const real = realpathSync(addon);
  const finder = installed(ADDON_FINDER, join(real, 'package.json'));
  // node-gyp-build asks this file which C library there is.
  paths.push('/etc/alpine-release', addon, real, ...(finder === undefined ? [] : [finder]));
  const webSockets = hostMain.endsWith('.ts') ? installed(WEB_SOCKETS, hostMain) : undefined;
  if (webSockets !== undefined) paths.push(webSockets, realpathSync(webSockets));
  // A linked node_modules, as in a second working tree.
  const modules = dirname(addon);
  if (realpathSync(modules) !== modules) paths.push(modules);
  return paths;
}

function packageRoot(folder: string): string | undefined {
  if (existsSync(join(folder, 'package.json'))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : packageRoot(parent);
}

/** The folder of a package as a program at `from` finds it. */
function installed(name: string, from: string): string | undefined {
  const folders = createRequire(from).resolve.paths(name) ?? [];
  return folders.map((folder) => join(folder, name)).find((folder) => existsSync(folder));
}
