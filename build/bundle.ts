/**
 * The bundler as a command: edge modules in, archives and a filled deployment out.
 *
 *   node build/bundle.ts [DIR…] [--out dist/modules] [--template FILE] [--json]
 */
import { existsSync, globSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { askedText, templateModules } from './asked-text.ts';
import { type BundledModule, BundleError, bundleModule } from './bundle-module.ts';
import { fillTemplate } from './deployment-template.ts';

export { type BundledModule, BundleError, bundleModule };

const HELP = `Bundles edge modules.

  bundle [DIR…] [--out FOLDER] [--template FILE] [--json]

  DIR         folder of a module: package.json with name, version and main, JavaScript or TypeScript,
              its npm packages installed. Default: each folder in modules/
  --out       where the archives go. Default: dist/modules
  --template  a deployment whose \${MODULES.<name>} become image references; the result is written
              to deployment.json beside the folder of --out. Default, without DIR:
              modules/deployment.template.json
  --json      one line of JSON per module
`;

const TEMPLATE = 'modules/deployment.template.json';

/** Folders directly in modules/ that are modules. */
export function moduleFolders(root: string): readonly string[] {
  return globSync('modules/*/package.json', { cwd: root })
    .map((file) => join(root, dirname(file)))
    .sort();
}

/** Fills the template and writes the deployment. Throws a BundleError. */
export function writeDeployment(
  template: string,
  modules: readonly BundledModule[],
  file: string,
): void {
  if (!existsSync(template)) throw new BundleError(`there is no deployment template ${template}`);
  const problems: string[] = [];
  const images = new Map(modules.map(({ name, image }) => [name, image]));
  const text = fillTemplate(readFileSync(template, 'utf8'), images, problems);
  if (problems.length > 0) {
    throw new BundleError(problems.map((problem) => `${template}: ${problem}`).join('\n'));
  }
  writeFileSync(file, text);
}

/** `12.3 KB` */
export function sizeText(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}

if (import.meta.main) {
  try {
    await run();
  } catch (cause) {
    if (!isMistake(cause)) throw cause;
    console.error(cause.message);
    process.exitCode = 1;
  }
}

/** Mistakes of whoever runs this: told without a stack. */
function isMistake(cause: unknown): cause is Error {
  const { code } = cause as { code?: unknown };
  return cause instanceof BundleError || String(code).startsWith('ERR_PARSE_ARGS');
}

async function run(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      out: { type: 'string', default: 'dist/modules' },
      template: { type: 'string' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    return;
  }
  const folders = positionals.length > 0 ? positionals : moduleFolders('.');
  if (folders.length === 0)
    throw new BundleError('there is no module in modules/: name its folder');
  const template =
    values.template ?? (positionals.length === 0 && existsSync(TEMPLATE) ? TEMPLATE : undefined);
  const granted =
    template !== undefined && existsSync(template)
      ? templateModules(readFileSync(template, 'utf8'))
      : undefined;
  const modules: BundledModule[] = [];
  const problems: string[] = [];
  for (const folder of folders) {
    try {
      const module = await bundleModule(folder, { outDir: values.out });
      modules.push(module);
      const asked = askedText(module.name, module.capabilities, granted);
      console.log(values.json ? JSON.stringify(module) : `${describe(module)}\n${asked}`.trimEnd());
    } catch (cause) {
      if (!(cause instanceof BundleError)) throw cause;
      problems.push(cause.message);
    }
  }
  if (problems.length > 0) throw new BundleError(problems.join('\n\n'));
  if (template === undefined) return;
  const file = join(dirname(resolve(values.out)), 'deployment.json');
  writeDeployment(template, modules, file);
  if (!values.json) console.log(`deployment  ${file}`);
}

function describe({ name, version, bytes, digest, image }: BundledModule): string {
  return `${name} ${version}  ${sizeText(bytes)}\n  digest  ${digest}\n  image   ${image}`;
}
