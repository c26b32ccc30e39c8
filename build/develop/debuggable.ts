/** A module's code as a debugger wants it: with its map inside, and the sources under their names on this machine. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Fault } from '../../src/core/fault.ts';
import { SCRIPT_MARK } from '../../src/core/guest-protocol.ts';
import type { CompiledModule } from '../compile-module.ts';

const PORT = 9_229;

/** `--inspect[=PORT]`; undefined = no debugger. Throws CONFIG_INVALID. */
export function readInspectPort(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (text === '') return PORT;
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port;
  throw new Fault('CONFIG_INVALID', `a debugger's port is a number up to 65535, it is "${text}"`);
}

/**
 * @param folder what the map's names are relative to. @param pauses before the first line, so that a
 * debugger can set its breakpoints.
 */
export function debuggable(
  { code, sourceMap }: CompiledModule,
  folder: string,
  pauses = false,
): CompiledModule {
  const map = JSON.parse(sourceMap) as { sources: readonly string[] };
  const sources = map.sources.map((source) =>
    source.startsWith('isolet:') ? source : pathToFileURL(join(folder, source)).href,
  );
  const text = Buffer.from(JSON.stringify({ ...map, sources })).toString('base64');
  const at = code.startsWith(SCRIPT_MARK) ? SCRIPT_MARK.length + 1 : 0;
  const first = pauses ? 'debugger;' : '';
  return {
    code: `${code.slice(0, at)}${first}${code.slice(at)}\n//# sourceMappingURL=data:application/json;base64,${text}\n`,
    sourceMap,
  };
}
