/** Reports the runtime's own state through a twin: only what changed, at most once a second. */
import type { JsonObject } from '../core/json.ts';
import type { ModuleName } from '../core/message.ts';
import type { Clock, Log } from '../core/ports.ts';
import { diff, stripMetadata } from '../core/twin.ts';
import type { Twins } from './twins.ts';

export interface Reporter {
  /** The state may have changed. */
  changed(): void;
  stop(): void;
}

const PACE_MS = 1_000;

export function createReporter(
  module: ModuleName,
  state: () => JsonObject,
  { twins, clock, log }: { readonly twins: Twins; readonly clock: Clock; readonly log: Log },
): Reporter {
  let cancel: (() => void) | undefined;
  let stopped = false;

  function report(): void {
    cancel = undefined;
    // Compared with what the twin holds, unconfirmed reports included: nothing is kept twice.
    const patch = diff(stripMetadata(twins.read(module).reported), state());
    if (Object.keys(patch).length === 0) return;
    twins.report(module, patch).catch((cause: unknown) => {
      log.error('our own state does not fit into the twin', { module, cause });
    });
  }

  return {
    changed() {
      if (!stopped) cancel ??= clock.after(PACE_MS, report);
    },
    stop() {
      stopped = true;
      cancel?.();
    },
  };
}
