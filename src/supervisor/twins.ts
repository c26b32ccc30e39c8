/**
 * Every identity's twin: kept on the device, brought up to date when the cloud is there.
 *
 * connect:  read the whole twin, tell the difference; then send what it lacks of our reports.
 * desired:  patch with the next version → merge, save, tell. Otherwise read the
 *           whole twin.
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
  joinPatches,
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
  /** `row.pending` is on its way up, and stays as it was sent. */
  sending: boolean;
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
      sending: false,
      stale: true,
      loop: createLoop(`twin ${module}`, () => sync(module, twin), deps, REST),
      listeners: new Set(),
      synced: new Set(),
    };
    held.set(module, twin);
    return twin;
  }

  const of = (module: ModuleName): Held => held.get(module) ?? hold(module);

  /** One turn: first what the hub knows, for a report may have reached it and its answer not us. */
  async function sync(module: ModuleName, twin: Held): Promise<'again' | 'done'> {
    const { link } = twin;
    if (link === undefined) return 'done';
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
    if (twin.row.pending !== null) {
      await sendPending(module, twin, twin.row.pending, link);
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
    twin.sending = true;
    try {
      await link.report(patch);
    } catch (cause) {
      if (isOfTheWorld(cause)) {
        twin.row = { ...twin.row, pending: unconfirmedOf(twin) };
        twin.later = null;
        // It may have arrived all the same.
        twin.stale = true;
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
    } finally {
      twin.sending = false;
    }
    const reported = merged(twin.row.reported, patch);
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
    const owed = owedReports(twin.row, unconfirmedOf(twin), reported);
    if (madeAnew(twin.row.reported, reported))
      log.warn('the hub made this twin anew: it is told again', { module });
    twin.row = { desired, reported, pending: owed, syncedAtMs: clock.now() };
    twin.later = null;
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
    const row = { ...twin.row, pending: unconfirmedOf(twin) };
    void deps.write([{ kind: 'twin', module, twin: row }]);
  }

  function read(module: ModuleName): TwinDocument {
    const twin = of(module);
    return { desired: twin.row.desired, reported: merged(twin.row.reported, unconfirmedOf(twin)) };
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
      const reported = merged(read(module).reported, patch);
      const problem = twinProblem(patch) ?? twinProblem(stripMetadata(reported));
      if (problem !== undefined) throw new Fault('TWIN_INVALID', problem);
      const { row: before } = twin;
      if (twin.sending)
        twin.later = join(merged(before.reported, before.pending), twin.later, patch);
      else twin.row = { ...before, pending: join(before.reported, before.pending, patch) };
      const row = { ...twin.row, pending: unconfirmedOf(twin) };
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
    pending: () => [...held.values()].filter((twin) => unconfirmedOf(twin) !== null).length,
    async stop() {
      await Promise.all([...held.values()].map((twin) => twin.loop.stop()));
    },
  };
}

/** Reports the hub has not confirmed, as one patch; null = none. */
function unconfirmedOf({ row, later }: Pick<Held, 'row' | 'later'>): JsonObject | null {
  return join(row.reported, row.pending, later);
}

/**
 * The patch a hub that holds `now` lacks of what the module has reported; null = none. Of `unconfirmed` a
 * part may have arrived, so what it touches is compared with what it shall become. What was confirmed is
 * told again only to a twin made anew.
 */
function owedReports(
  row: TwinRow,
  unconfirmed: JsonObject | null,
  now: JsonObject,
): JsonObject | null {
  // Before the first contact nobody knows what the hub held when the module reported.
  if (row.syncedAtMs === null) return unconfirmed;
  const lacks = diff(stripMetadata(now), stripMetadata(merged(row.reported, unconfirmed)));
  const anew = madeAnew(row.reported, now);
  const owed = Object.entries(lacks).filter(
    ([key, value]) =>
      (unconfirmed !== null && Object.hasOwn(unconfirmed, key)) || (anew && value !== null),
  );
  return owed.length === 0 ? null : Object.fromEntries(owed);
}

/** The hub counts each patch: a twin with a lower count is not the one it was. */
function madeAnew(before: JsonObject, now: JsonObject): boolean {
  const [had, has] = [versionOf(before), versionOf(now)];
  return had !== undefined && has !== undefined && has < had;
}

function merged(section: JsonObject, patch: JsonObject | null): JsonObject {
  if (patch === null) return section;
  return withoutNulls(mergePatch(section, patch, true) as JsonObject);
}

/** Either may be missing; `base` is what they are for. */
function join(
  base: JsonObject,
  first: JsonObject | null,
  second: JsonObject | null,
): JsonObject | null {
  if (first === null || second === null) return first ?? second;
  return joinPatches(base, first, second);
}

function withoutMetadata(section: JsonObject): JsonObject {
  const { $metadata: _hubsOwn, ...rest } = section as Record<string, never>;
  return rest;
}
