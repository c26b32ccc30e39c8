/**
 * Every identity's twin: kept on the device, brought up to date when the cloud is there.
 *
 * desired:  patch with the next version → merge, save, tell. Otherwise, and after each connect: read
 *           the whole twin, tell the difference.
 * reported: checked, merged into what is pending, saved, told yes; one patch goes up when online.
 */
import { Fault, isOfTheWorld } from '../core/fault.ts';
import type { JsonObject } from '../core/json.ts';
import type { ModuleName } from '../core/message.ts';
import type { Link, StoreSnapshot, StoreWrite, TwinDocument, TwinRow } from '../core/ports.ts';
import type { RetryRange } from '../core/retry.ts';
import {
  desiredPatchFits,
  diff,
  mergePatch,
  stripMetadata,
  versionOf,
  withoutNulls,
} from '../core/twin.ts';
import { twinProblem } from '../core/twin-limits.ts';
import { createLoop, type Loop, type LoopDeps } from './loop.ts';

export interface Twins {
  /** The twin as its owner sees it, its own unconfirmed reports included; empty sections when never synced. */
  read(module: ModuleName): TwinDocument;
  /** Resolves with read() after the first sync with the hub, or when `limitMs` is over. */
  readWhenKnown(module: ModuleName, limitMs: number): Promise<TwinDocument>;
  /** Merges into the reported section; resolves when durable. Rejects with TWIN_INVALID. */
  report(module: ModuleName, patch: JsonObject): Promise<void>;
  /** The hub sent a patch. */
  desired(module: ModuleName, patch: JsonObject): void;
  /** The identity's link is up (or gone, with undefined). */
  online(module: ModuleName, link: Link | undefined): void;
  /** Calls `listener` with each desired patch that was applied. */
  follow(module: ModuleName, listener: (patch: JsonObject) => void): () => void;
  /** Unconfirmed reports wait for this many identities. */
  pending(): number;
  stop(): Promise<void>;
}

export type TwinsDeps = LoopDeps & {
  readonly write: (writes: readonly StoreWrite[]) => Promise<void>;
};

type Held = {
  row: TwinRow;
  /** Reports made while `row.pending` is on its way up. */
  later: JsonObject | null;
  link: Link | undefined;
  /** The whole twin must be read: after a connect, or after a gap. */
  stale: boolean;
  readonly loop: Loop;
  readonly listeners: Set<(patch: JsonObject) => void>;
  readonly synced: Set<() => void>;
};

const EMPTY: TwinRow = { desired: {}, reported: {}, pending: null, syncedAtMs: null };
const REST: RetryRange = { firstMs: 1_000, mostMs: 60_000 };

export function createTwins(deps: TwinsDeps, rows: StoreSnapshot['twins']): Twins {
  const { clock, log } = deps;
  const held = new Map<ModuleName, Held>();
  for (const [module, row] of Object.entries(rows)) hold(module, row);

  function hold(module: ModuleName, row: TwinRow = EMPTY): Held {
    const twin: Held = {
      row,
      later: null,
      link: undefined,
      stale: true,
      loop: createLoop(`twin ${module}`, () => sync(module, twin), deps, REST),
      listeners: new Set(),
      synced: new Set(),
    };
    held.set(module, twin);
    return twin;
  }

  const of = (module: ModuleName): Held => held.get(module) ?? hold(module);

  /** One turn: first what we owe the hub, then what it knows. */
  async function sync(module: ModuleName, twin: Held): Promise<'again' | 'done'> {
    const { link } = twin;
    if (link === undefined) return 'done';
    if (twin.row.pending !== null) {
      await sendPending(module, twin, twin.row.pending, link);
      return 'again';
    }
    if (twin.stale) {
      twin.stale = false;
      try {
        takeOver(module, twin, await link.readTwin());
      } catch (cause) {
        twin.stale = true;
        throw cause;
      }
      return 'again';
    }
    return 'done';
  }

  async function sendPending(
    module: ModuleName,
    twin: Held,
    patch: JsonObject,
    link: Link,
  ): Promise<void> {
    try {
      await link.report(patch);
    } catch (cause) {
      if (isOfTheWorld(cause)) {
        twin.row = { ...twin.row, pending: join(twin.row.pending, twin.later) };
        twin.later = null;
        throw cause;
      }
      // Trying again would not help; what the module reports next may.
      log.error('the hub refused reported properties for good; they are dropped', {
        module,
        cause,
      });
      twin.row = { ...twin.row, pending: twin.later };
      twin.later = null;
      twin.stale = true;
      return save(module, twin);
    }
    const reported = withoutNulls(mergePatch(twin.row.reported, patch, true) as JsonObject);
    // The hub counts each patch; so a twin it made anew is known by its lower count.
    const version = versionOf(reported);
    if (version !== undefined) (reported as { $version: number }).$version = version + 1;
    twin.row = { ...twin.row, reported, pending: twin.later };
    twin.later = null;
    save(module, twin);
  }

  function takeOver(module: ModuleName, twin: Held, document: TwinDocument): void {
    const desired = withoutMetadata(document.desired);
    const patch = diff(twin.row.desired, desired);
    const reported = withoutMetadata(document.reported);
    const lost = lostReports(twin.row.reported, reported);
    if (lost !== null) log.warn('the hub made this twin anew: it is told again', { module });
    twin.row = { ...twin.row, desired, reported, syncedAtMs: clock.now() };
    twin.row = { ...twin.row, pending: join(lost, twin.row.pending) };
    save(module, twin);
    tell(module, twin, patch);
    for (const resolve of twin.synced) resolve();
    twin.synced.clear();
  }

  function tell(module: ModuleName, twin: Held, patch: JsonObject): void {
    if (Object.keys(patch).length === 0) return;
    log.info('desired properties changed', { module, version: versionOf(twin.row.desired) });
    for (const listener of twin.listeners) listener(patch);
  }

  function save(module: ModuleName, twin: Held): void {
    const row = { ...twin.row, pending: join(twin.row.pending, twin.later) };
    void deps.write([{ kind: 'twin', module, twin: row }]);
  }

  function read(module: ModuleName): TwinDocument {
    const { row, later } = of(module);
    const unconfirmed = join(row.pending, later);
    return {
      desired: row.desired,
      reported:
        unconfirmed === null
          ? row.reported
          : withoutNulls(mergePatch(row.reported, unconfirmed, true) as JsonObject),
    };
  }

  return {
    read,
    readWhenKnown(module, limitMs) {
      const twin = of(module);
      if (twin.row.syncedAtMs !== null) return Promise.resolve(read(module));
      return new Promise((resolve) => {
        const answer = (): void => {
          cancel();
          twin.synced.delete(answer);
          resolve(read(module));
        };
        const cancel = clock.after(limitMs, answer);
        twin.synced.add(answer);
      });
    },
    async report(module, patch) {
      const twin = of(module);
      const merged = withoutNulls(mergePatch(read(module).reported, patch, true) as JsonObject);
      const problem = twinProblem(patch) ?? twinProblem(stripMetadata(merged));
      if (problem !== undefined) throw new Fault('TWIN_INVALID', problem);
      // What is on its way up stays as it was sent.
      if (twin.link !== undefined && twin.row.pending !== null)
        twin.later = join(twin.later, patch);
      else twin.row = { ...twin.row, pending: join(twin.row.pending, patch) };
      const row = { ...twin.row, pending: join(twin.row.pending, twin.later) };
      await deps.write([{ kind: 'twin', module, twin: row }]);
      twin.loop.wake();
    },
    desired(module, patch) {
      const twin = of(module);
      const fits = desiredPatchFits(twin.row.desired, patch);
      if (fits === 'known') return;
      if (fits === 'gap' || twin.stale) {
        twin.stale = true;
        twin.loop.wake();
        return;
      }
      const desired = withoutNulls(mergePatch(twin.row.desired, patch, true) as JsonObject);
      twin.row = { ...twin.row, desired };
      save(module, twin);
      tell(module, twin, patch);
    },
    online(module, link) {
      const twin = of(module);
      twin.link = link;
      twin.stale = true;
      if (link === undefined) return;
      twin.loop.wake();
      twin.loop.resume();
    },
    follow(module, listener) {
      const { listeners } = of(module);
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    pending: () => [...held.values()].filter((twin) => join(twin.row.pending, twin.later)).length,
    async stop() {
      await Promise.all([...held.values()].map((twin) => twin.loop.stop()));
    },
  };
}

/** What we had reported and a twin made anew at the hub lacks; null = it is the same twin, or lacks nothing. */
function lostReports(before: JsonObject, now: JsonObject): JsonObject | null {
  const [had, has] = [versionOf(before), versionOf(now)];
  if (had === undefined || has === undefined || has >= had) return null;
  const patch = withoutNulls(diff(stripMetadata(now), stripMetadata(before)));
  return Object.keys(patch).length === 0 ? null : patch;
}

function join(first: JsonObject | null, second: JsonObject | null): JsonObject | null {
  if (first === null || second === null) return first ?? second;
  return mergePatch(first, second, false) as JsonObject;
}

function withoutMetadata(section: JsonObject): JsonObject {
  const { $metadata: _hubsOwn, ...rest } = section as Record<string, never>;
  return rest;
}
