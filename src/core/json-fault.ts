/** Where a text stops being JSON, without quoting any of it: what is wrong may stand beside a password. */

/** 1-based place of the first character that cannot be; undefined = the text is JSON. Never throws. */
export function jsonFaultAt(text: string): number | undefined {
  if (complaint(text) === undefined) return undefined;
  // A prefix that only lacks its end is no worse than the whole: the fault is where that changes.
  let good = 0;
  let bad = text.length;
  while (good < bad) {
    const middle = Math.floor((good + bad) / 2) + 1;
    if (isBroken(text.slice(0, middle))) bad = middle - 1;
    else good = middle;
  }
  return Math.min(good + 1, text.length + 1);
}

/** True when nothing that could follow would make this JSON. */
function isBroken(prefix: string): boolean {
  const message = complaint(prefix);
  if (message === undefined) return false;
  const at = /at position (\d+)/.exec(message)?.[1];
  if (/^Unterminated/.test(message)) return false;
  if (at !== undefined) return Number(at) < prefix.length;
  return !/end of JSON/.test(message);
}

/** V8's sentence, which must not get out. */
function complaint(text: string): string | undefined {
  try {
    JSON.parse(text);
    return undefined;
  } catch (cause) {
    return (cause as Error).message;
  }
}
