/** Regular expressions that somebody far away wrote: one that runs away is stopped, not waited for. */
import { createContext, Script } from 'node:vm';

export class MatchError extends Error {}

/** For one batch of texts. */
const LIMIT_MS = 1_000;
const PATTERN_LENGTH_MAX = 1_000;

const script = new Script('texts.map((text) => pattern.test(text))');

/**
 * As .NET and JavaScript both have them; `(?i)` and its like at the start, too. The match is anywhere in the
 * text. Throws MatchError when it is none; what is returned throws it when a batch takes too long.
 */
export function createBoundedMatch(
  source: string,
  { ignoreCase = false } = {},
): (texts: readonly string[]) => readonly boolean[] {
  if (source.length > PATTERN_LENGTH_MAX) {
    throw new MatchError(`a regular expression has at most ${PATTERN_LENGTH_MAX} characters`);
  }
  const [whole = '', inline = ''] = /^\(\?([ims]+)\)/.exec(source) ?? [];
  const wanted = inline + (ignoreCase ? 'i' : '');
  const flags = ['i', 'm', 's'].filter((flag) => wanted.includes(flag)).join('');
  let pattern: RegExp;
  try {
    pattern = new RegExp(source.slice(whole.length), flags);
  } catch (cause) {
    throw new MatchError(`"${source}" is no regular expression: ${(cause as Error).message}`);
  }
  return (texts) => {
    try {
      const context = createContext({ texts, pattern });
      return script.runInContext(context, { timeout: LIMIT_MS }) as readonly boolean[];
    } catch {
      throw new MatchError(
        `the regular expression "${source}" takes too long: avoid repetitions inside of repetitions`,
      );
    }
  };
}
