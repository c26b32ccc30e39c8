/** The last lines of each module's console, bounded; followers get new ones as they come. */
import type { LogLevel } from '../core/guest-protocol.ts';
import type { JsonObject } from '../core/json.ts';
import type { ModuleName } from '../core/message.ts';
import type { Clock, Log } from '../core/ports.ts';
import type { LogLine } from '../core/summaries.ts';

export interface ModuleLogs {
  append(module: ModuleName, level: LogLevel, text: string, fields?: JsonObject): void;
  /** The last `count` lines, oldest first. */
  tail(module: ModuleName, count: number): readonly LogLine[];
  /** Calls with each new line until the returned function is called. */
  follow(module: ModuleName, listener: (line: LogLine) => void): () => void;
}

const LINES_MAX = 1_000;
const LINE_LENGTH_MAX = 8_192;

export function createModuleLogs(clock: Clock, log: Log): ModuleLogs {
  const lines = new Map<ModuleName, LogLine[]>();
  const followers = new Map<ModuleName, Set<(line: LogLine) => void>>();

  return {
    append(module, level, text, fields) {
      const short = text.length > LINE_LENGTH_MAX ? `${text.slice(0, LINE_LENGTH_MAX)}…` : text;
      const line: LogLine = {
        atMs: clock.now(),
        module,
        level,
        text: short,
        ...(fields && { fields }),
      };
      const kept = lines.get(module) ?? [];
      lines.set(module, kept);
      kept.push(line);
      // Cut in bulk: once per hundred lines rather than at each.
      if (kept.length > LINES_MAX + 100) kept.splice(0, kept.length - LINES_MAX);
      // Below a name of their own: none can pass for one of ours.
      log[level](short, { module, ...(fields && { fields }) });
      for (const listener of followers.get(module) ?? []) listener(line);
    },
    tail: (module, count) => (lines.get(module) ?? []).slice(-Math.min(count, LINES_MAX)),
    follow(module, listener) {
      const set = followers.get(module) ?? new Set();
      followers.set(module, set);
      set.add(listener);
      return () => set.delete(listener);
    },
  };
}
