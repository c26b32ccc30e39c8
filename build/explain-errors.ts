/** esbuild's errors as sentences about a module's world, each with its place in the author's source. */
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { formatMessages, type Location, type Message } from 'esbuild';
import { guestNames } from './guest-plugin.ts';
import { insteadOf } from './missing-builtins.ts';

/** `folder` is the module's; paths in the text are absolute. */
export async function explainErrors(errors: readonly Message[], folder: string): Promise<string> {
  const lines = await formatMessages(
    errors.map((error) => ({
      ...error,
      ...explain(error),
      location: error.location && inFolder(error.location, folder),
    })),
    { kind: 'error', color: false },
  );
  const missesNode = errors.some(({ text }) => isBuiltin(unresolvedIn(text) ?? ''));
  return `${lines.join('').trimEnd()}${missesNode ? `\n\n${whatThereIs()}` : ''}`;
}

function unresolvedIn(text: string): string | undefined {
  return /^Could not resolve "(.+?)"/.exec(text)?.[1];
}

/** Told once, however many imports lead nowhere. */
function whatThereIs(): string {
  const builtins = guestNames.filter((each) => isBuiltin(each) && !each.startsWith('node:'));
  const packages = guestNames.filter((each) => !isBuiltin(each));
  return `A module runs in an isolate, not in Node. There are the globals of the web (fetch, timers, console, TextEncoder, structuredClone …), of Node's own modules ${builtins.join(', ')}, and ${packages.join(', ')}.`;
}

function inFolder(location: Location, folder: string): Location {
  const own = location.namespace === 'file' || location.namespace === '';
  return own ? { ...location, file: join(folder, location.file) } : location;
}

type Explained = { text?: string; notes?: { text: string }[] };

/** Says what a module can do about it. */
function explain({ text, location }: Message): Explained {
  if (/^No loader is configured for "\.node" files/.test(text)) return nativeAddon('This file');
  if (/with the "esm" output format due to strict mode/.test(text)) {
    return {
      text: text.replace(/ with the "esm" output format due to strict mode/, ' in this bundle'),
      notes: [
        {
          text: 'It is CommonJS that is not strict, and another file of the bundle has a top-level await: put that one into an async function.',
        },
      ],
    };
  }
  const name = unresolvedIn(text);
  const addon = /^Could not resolve "\.\/native-addon\/(.+?)"/.exec(text)?.[1];
  if (addon !== undefined) return nativeAddon(`The package "${addon}"`);
  if (name === undefined || name.startsWith('.') || name.startsWith('/')) return {};
  if (isBuiltin(name)) return missingBuiltin(name, location);
  return {
    text: `The package "${name}" is not installed`,
    notes: [
      { text: `Run "npm install" in the module's folder, or add it with "npm install ${name}".` },
    ],
  };
}

function nativeAddon(what: string): Explained {
  return {
    text: `${what} is compiled code for Node, which no isolate can load`,
    notes: [
      {
        text: 'Take a package that does the same in plain JavaScript or WebAssembly, or use what "isolet" has: GPIO, I2C, SPI, serial ports, storage.',
      },
    ],
  };
}

function missingBuiltin(name: string, location: Message['location']): Explained {
  const remedy = insteadOf(name);
  const dependency = /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(location?.file ?? '')?.[1];
  return {
    text: `Node's "${name}" does not exist in a module${remedy === undefined ? '' : `: ${remedy}`}`,
    notes:
      dependency === undefined
        ? []
        : [
            {
              text: `It is the package "${dependency}" that needs it: another one, or another entry of it, may do without.`,
            },
          ],
  };
}
