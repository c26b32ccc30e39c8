/** What modules and the runtime itself say: kept on the shelf, echoed, and told to those who follow. */
import type { LogLevel } from '../core/guest-protocol.ts';
import type { JsonObject } from '../core/json.ts';
import { type LogQuery, selectLines } from '../core/log-query.ts';
import type { LogCounters, LogShelf } from '../core/log-shelf.ts';
import type { ModuleName } from '../core/message.ts';
import type { Clock, Log } from '../core/ports.ts';
import type { LogLine } from '../core/summaries.ts';

export interface ModuleLogs {
  readonly counters: Readonly<LogCounters>;
  /** A line of a module's console. */
  append(module: ModuleName, level: LogLevel, text: string, fields?: JsonObject): void;
  /** The same without an echo: the runtime's own lines have been written to its output already. */
  keep(line: LogLine): void;
  /** The lines asked for of those said until now, oldest first, in parts. */
  read(module: ModuleName, query: LogQuery): AsyncIterable<readonly LogLine[]>;
  /** Calls with each new line until the returned function is called. */
  follow(module: ModuleName, listener: (line: LogLine) => void): () => void;
  forget(module: ModuleName): Promise<void>;
  /** Forgets modules that `stays` says no to: a cut may have come between their end and `forget`. */
  sweep(stays: (module: ModuleName) => boolean): Promise<void>;
}

const LINE_LENGTH_MAX = 8_192;

/** @param echo where modules' lines go besides: Isolet's own output. */
export function createModuleLogs(shelf: LogShelf, clock: Clock, echo: Log): ModuleLogs {
  const followers = new Map<ModuleName, Set<(line: LogLine) => void>>();

  function keep(line: LogLine): void {
    shelf.append(line);
    for (const listener of followers.get(line.module) ?? []) listener(line);
  }

  return {
    counters: shelf.counters,
    append(module, level, text, fields) {
      const short = text.length > LINE_LENGTH_MAX ? `${text.slice(0, LINE_LENGTH_MAX)}…` : text;
      // Below a name of their own: none can pass for one of ours.
      echo[level](short, { module, ...(fields && { fields }) });
      keep({ atMs: clock.now(), module, level, text: short, ...(fields && { fields }) });
    },
    keep,
    read(module, query) {
      // Begun at once: what is said from here on is for followers.
      const parts = shelf.read(module, query.tail === undefined ? 'oldest' : 'newest');
      return selectLines(() => parts, query);
    },
    follow(module, listener) {
      const set = followers.get(module) ?? new Set();
      followers.set(module, set);
      set.add(listener);
      return () => {
        set.delete(listener);
        if (set.size === 0 && followers.get(module) === set) followers.delete(module);
      };
    },
    forget: (module) => shelf.forget(module),
    async sweep(stays) {
      for (const module of await shelf.modules()) {
        if (!module.startsWith('$') && !stays(module)) await shelf.forget(module);
      }
    },
  };
}
