/** Cloudflare's workerd, to its worker's first line. It has no way to add a worker while it runs. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { diskFolder } from './disk.ts';
import { firstLineMs } from './first-line.ts';

export type Workerd = { readonly name: string; firstLineMs(): Promise<number> };

/** Or a sentence that says what is missing. */
export function createWorkerd(file: string): Workerd | string {
  const found = spawnSync('workerd', ['--version'], { encoding: 'utf8' });
  if (found.status !== 0) return 'needs workerd on the PATH (npm install --global workerd)';
  const folder = diskFolder('workerd');
  copyFileSync(file, join(folder, 'main.js'));
  const config = join(folder, 'config.capnp');
  writeFileSync(
    config,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = (
    modules = [(name = "main", esModule = embed "main.js")],
    compatibilityDate = "2026-01-01",
  ))],
);
`,
  );
  return {
    name: found.stdout.trim(),
    firstLineMs: () => firstLineMs('workerd', ['serve', config]),
  };
}
