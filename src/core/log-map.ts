/** Log lines in memory: for a desk, where nothing must survive, and for tests. */
import type { LogShelf } from './log-shelf.ts';
import type { ModuleName } from './message.ts';
import type { LogLine } from './summaries.ts';

const LINES_MAX = 1_000;

export interface LogMap extends LogShelf {
  /** The last `count` lines, oldest first. */
  tail(module: ModuleName, count: number): readonly LogLine[];
}

export function createLogMap(): LogMap {
  const modules = new Map<ModuleName, LogLine[]>();
  return {
    counters: { linesDropped: 0, bytes: 0 },
    append(line) {
      const lines = modules.get(line.module) ?? [];
      modules.set(line.module, lines);
      lines.push(line);
      // Cut in bulk: once per hundred lines rather than at each.
      if (lines.length > LINES_MAX + 100) lines.splice(0, lines.length - LINES_MAX);
    },
    tail: (module, count) => (modules.get(module) ?? []).slice(-count),
    read(module) {
      const lines = (modules.get(module) ?? []).slice(-LINES_MAX);
      return (async function* part() {
        yield lines;
      })();
    },
    async forget(module) {
      modules.delete(module);
    },
    modules: async () => [...modules.keys()],
    async close() {},
  };
}
