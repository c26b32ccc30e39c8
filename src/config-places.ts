/**
 * Where the keys of a TOML text stand, for sentences about them: the parser tells what they are, not
 * where. Multi-line texts that look like keys may mislead it, by lines, never by values.
 */

/** Line numbers, from 1, by key path; of what is inside `{ … }` the line of that. */
export function createPlaces(text: string): (path: string) => number | undefined {
  const lines = new Map<string, number>();
  let table = '';
  for (const [index, line] of text.split('\n').entries()) {
    const header = /^\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(#.*)?$/.exec(line)?.[1];
    const key =
      header ??
      /^\s*((?:"[^"]*"|'[^']*'|[\w-]+)(?:\s*\.\s*(?:"[^"]*"|[\w-]+))*)\s*=/.exec(line)?.[1];
    if (key === undefined) continue;
    const path = key.replaceAll(/\s*\.\s*/g, '.');
    if (header !== undefined) table = path;
    const whole = header === undefined && table !== '' ? `${table}.${path}` : path;
    if (!lines.has(whole)) lines.set(whole, index + 1);
  }
  return (path) => {
    for (let part = path; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('.')))) {
      const line = lines.get(part.replace(/\[\d+\]$/, ''));
      if (line !== undefined) return line;
    }
    return undefined;
  };
}

/** `FILE:LINE: ` before a problem that begins with the path of a key; `FILE: ` when no line is known. */
export function placed(file: string, places: (path: string) => number | undefined) {
  return (problem: string): string => {
    const path = /^(?:"[^"]*"|[^\s:"])+/.exec(problem)?.[0] ?? '';
    const line = places(path);
    return `${file}:${line === undefined ? '' : `${line}:`} ${problem}`;
  };
}
