/** The metrics modules keep of their own: their last values, bounded, for whoever asks. */
import type { ModuleName } from '../core/message.ts';
import { METRIC_LIMITS, type MetricFamily } from '../core/own-metrics.ts';

export interface OwnMetrics {
  /** Puts these in the place of their last values; gives how many series were dropped, being too many. */
  measured(module: ModuleName, families: readonly MetricFamily[], seriesMax?: number): number;
  /** It starts anew, or is gone. */
  clear(module: ModuleName): void;
  /** In the order of modules' names. */
  all(): readonly (readonly [ModuleName, readonly MetricFamily[]])[];
}

type Series = MetricFamily['series'][number];
type Held = { readonly family: Omit<MetricFamily, 'series'>; readonly series: Map<string, Series> };

export function createOwnMetrics(): OwnMetrics {
  const modules = new Map<ModuleName, Map<string, Held>>();

  return {
    measured(module, families, seriesMax = METRIC_LIMITS.seriesMax) {
      const held = modules.get(module) ?? new Map<string, Held>();
      modules.set(module, held);
      let count = [...held.values()].reduce((sum, { series }) => sum + series.size, 0);
      let dropped = 0;
      for (const { series, ...family } of families) {
        let one = held.get(family.name);
        // Another shape under the same name: it is another metric now.
        if (one === undefined || JSON.stringify(one.family) !== JSON.stringify(family)) {
          count -= one?.series.size ?? 0;
          if (one === undefined && held.size >= METRIC_LIMITS.familiesMax) {
            dropped += series.length;
            continue;
          }
          one = { family, series: new Map() };
          held.set(family.name, one);
        }
        for (const each of series) {
          const key = JSON.stringify(each[0]);
          if (!one.series.has(key) && count >= seriesMax) {
            dropped++;
            continue;
          }
          if (!one.series.has(key)) count++;
          one.series.set(key, each);
        }
      }
      return dropped;
    },
    clear: (module) => void modules.delete(module),
    all: () =>
      [...modules]
        .sort(([one], [other]) => (one < other ? -1 : 1))
        .map(([module, held]) => [
          module,
          [...held.values()].map(({ family, series }) => ({
            ...family,
            series: [...series.values()],
          })),
        ]),
  };
}
