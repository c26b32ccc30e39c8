/** Stack traces of bundles in terms of what their author wrote. */
import { SourceMap } from 'node:module';
import { moduleFile, REASON_LENGTH_MAX } from './host-protocol.ts';

const FRAMES_MAX = 50;
/** Characters of a source's name: the map is the module author's, and may hold anything. */
const SOURCE_LENGTH_MAX = 1_024;

/**
 * `text` with the positions in the module's bundle replaced by those in its sources. The map is parsed
 * for this alone: errors are rare, and a parsed map takes megabytes.
 */
export function mapStack(text: string, module: string, sourceMap: string): string {
  const file = moduleFile(module);
  if (sourceMap === '' || !text.includes(file)) return text;
  let map: SourceMap;
  try {
    map = new SourceMap(JSON.parse(sourceMap));
  } catch {
    // A bundle with a broken map still has a stack worth telling.
    return text;
  }
  const pieces = text.split(`${file}:`);
  return pieces
    .map((piece, index) => (index === 0 || index > FRAMES_MAX ? piece : mapped(map, piece, file)))
    .join('')
    .slice(0, REASON_LENGTH_MAX);
}

/** `piece` begins with `line:column`, if the file's name was followed by a position. */
function mapped(map: SourceMap, piece: string, file: string): string {
  const position = /^(\d{1,9}):(\d{1,9})/.exec(piece);
  if (position === null) return `${file}:${piece}`;
  const [whole, line, column] = position;
  const entry = map.findEntry(Number(line) - 1, Number(column) - 1);
  // An entry of an earlier line means that the map knows nothing of this one.
  if (!('originalSource' in entry) || entry.generatedLine !== Number(line) - 1) {
    return `${file}:${piece}`;
  }
  const { originalSource, originalLine, originalColumn } = entry;
  const source = String(originalSource).slice(0, SOURCE_LENGTH_MAX);
  return `${source}:${originalLine + 1}:${originalColumn + 1}${piece.slice(whole.length)}`;
}
