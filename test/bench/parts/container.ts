/**
 * A container of Node without an image: its root holds the node binary and the libraries it is linked
 * to. Run by the program that Docker (runc) or Podman (crun) call at the bottom, so it costs less
 * than either.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { atExit } from './at-exit.ts';
import { diskFolder } from './disk.ts';
import { firstLineMs } from './first-line.ts';

export type Container = {
  readonly name: string;
  /** Runs `file` in a new container: milliseconds to its first line. */
  firstLineMs(): Promise<number>;
};

/** Or a sentence that says what is missing. */
export async function createContainer(file: string): Promise<Container | string> {
  const tool = ['runc', 'crun'].find((one) => spawnSync(one, ['--version']).status === 0);
  if (tool === undefined) return 'needs runc or crun (apt install runc)';
  const folder = diskFolder('container');
  fillRoot(join(folder, 'rootfs'), file);
  writeConfig(tool, folder);
  let count = 0;
  const container: Container = {
    name: `a Node ${process.version} container (${versionOf(tool)})`,
    firstLineMs() {
      const id = `isolet-bench-${process.pid}-${++count}`;
      atExit(() => void spawnSync(tool, ['delete', '--force', id], { stdio: 'ignore' }));
      return firstLineMs(tool, ['run', '--bundle', folder, id]);
    },
  };
  try {
    await container.firstLineMs();
    return container;
  } catch {
    return `${tool} may not make containers on this machine`;
  }
}

/** The binary, what `ldd` says it needs, and the program. */
function fillRoot(root: string, file: string): void {
  const libraries = spawnSync('ldd', [process.execPath], { encoding: 'utf8' }).stdout;
  for (const [path] of libraries.matchAll(/\/\S+/g)) put(path, join(root, path));
  put(process.execPath, join(root, 'node'));
  put(file, join(root, 'main.js'));
  for (const empty of ['proc', 'dev', 'sys']) mkdirSync(join(root, empty));
}

function put(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

function writeConfig(tool: string, folder: string): void {
  const asRoot = process.getuid?.() === 0;
  spawnSync(tool, ['spec', ...(asRoot ? [] : ['--rootless'])], { cwd: folder });
  const file = join(folder, 'config.json');
  const config = JSON.parse(readFileSync(file, 'utf8')) as {
    process: { terminal: boolean; args: string[] };
  };
  config.process = { ...config.process, terminal: false, args: ['/node', '/main.js'] };
  writeFileSync(file, JSON.stringify(config));
}

function versionOf(tool: string): string {
  const { stdout } = spawnSync(tool, ['--version'], { encoding: 'utf8' });
  return stdout.split('\n')[0]?.replace(' version', '') ?? tool;
}
