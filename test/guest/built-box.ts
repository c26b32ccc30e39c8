/** Folders of modules as their authors have them, through the real build and into a real isolate. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type CompiledModule, compileModule } from '../../build/compile-module.ts';
import { type ModuleBox, openBox } from './module-box.ts';

type Files = Readonly<Record<string, string>>;

/** A folder with these files, and with the packages of this project as its own. */
export async function withFolder<Result>(
  files: Files,
  use: (folder: string) => Promise<Result>,
): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'isolet-module-'));
  try {
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    }
    const ownPackages = Object.keys(files).some((path) => path.startsWith('node_modules/'));
    const packages = join(import.meta.dirname, '..', '..', 'node_modules');
    if (!ownPackages) symlinkSync(packages, join(folder, 'node_modules'));
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Builds the first of the files with all it imports. */
export function built(files: Files): Promise<CompiledModule> {
  return withFolder(files, (folder) => compileModule(folder, Object.keys(files)[0] as string));
}

/** Builds and runs it. */
export async function withBuilt(
  files: Files | string,
  use: (box: ModuleBox, bundle: CompiledModule) => Promise<void>,
): Promise<void> {
  const bundle = await built(typeof files === 'string' ? { 'main.js': files } : files);
  const box = await openBox(bundle.code, { form: 'built' });
  try {
    await use(box, bundle);
  } finally {
    box.dispose();
  }
}
