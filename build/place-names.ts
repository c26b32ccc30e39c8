/**
 * Where a file lies, told to the few files that ask: `__filename`, `import.meta.url`, `require.main`. The
 * module's folder is `/app`, as in the containers its author knows; nothing of it can be read there.
 */
import { readFile } from 'node:fs/promises';
import { basename, dirname, extname, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Loader, type Plugin, transform } from 'esbuild';
import { notUtf8 } from './not-utf8.ts';

const APP = '/app';
const ASKS =
  /\b__(?:file|dir)name\b|\bimport\.meta\b|\brequire\.main\b|\bmodule\.(?:parent|filename|id)\b/;
/** Behind comments and other directives; each comment can be read in one way only, or this takes for ever. */
const STRICT = /^(?:#![^\n]*\n)?(?:\s|;|\/\*(?:[^*]|\*(?!\/))*\*\/|\/\/[^\n]*)*['"]use strict['"]/;

/** Where a file of the module lies in its own eyes. */
export function placeOf(folder: string, file: string): string {
  const path = relative(folder, file);
  if (!path.startsWith('..')) return `${APP}/${path}`;
  // A dependency that a workspace keeps further up.
  const at = file.lastIndexOf('/node_modules/');
  return at < 0 ? `${APP}/${basename(file)}` : `${APP}${file.slice(at)}`;
}

/** `main` is absolute; files without the directive go to `sloppy`, should they be CommonJS. */
export function placeNames(
  folder: string,
  main: string,
  tsconfig: string,
  sloppy: Set<string>,
): Plugin {
  return {
    name: 'isolet-place-names',
    setup(build) {
      build.onLoad({ filter: /\.(?:[cm]?js|[cm]?ts|jsx|tsx)$/ }, async ({ path, namespace }) => {
        if (namespace !== 'file') return undefined;
        const bytes = await readFile(path);
        // What a package has in its comments is not for the module's author to mend.
        const problem = path.includes('/node_modules/')
          ? undefined
          : notUtf8(bytes, relative(folder, path));
        if (problem !== undefined) return { errors: [problem] };
        const contents = bytes.toString();
        const loader = extname(path).slice(1).replace(/^[cm]/, '') as Loader;
        // TypeScript's own compilers write the directive.
        if (loader.startsWith('js') && !STRICT.test(contents)) sloppy.add(path);
        if (!ASKS.test(contents)) return undefined;
        const place = placeOf(folder, path);
        const isMain = path === main;
        const { code } = await transform(contents, {
          loader,
          sourcefile: basename(path),
          sourcemap: 'inline',
          sourcesContent: false,
          target: 'esnext',
          tsconfigRaw: tsconfig,
          define: {
            __filename: JSON.stringify(place),
            __dirname: JSON.stringify(dirname(place)),
            'import.meta.url': JSON.stringify(pathToFileURL(place).href),
            'import.meta.filename': JSON.stringify(place),
            'import.meta.dirname': JSON.stringify(dirname(place)),
            'import.meta.main': String(isMain),
            'require.main': isMain ? 'module' : 'undefined',
            'module.parent': isMain ? 'null' : '{}',
            'module.filename': JSON.stringify(place),
            'module.id': JSON.stringify(isMain ? '.' : place),
          },
        });
        return {
          contents: code,
          loader: loader.startsWith('ts') ? 'js' : loader,
          resolveDir: dirname(path),
        };
      });
    },
  };
}
