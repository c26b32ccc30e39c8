/**
 * What modules keep by key: checked against their limits, carried out in order. A module's room is known as an
 * upper bound, so that most writes need no look at the disk; at its end it is measured, and while that goes on
 * whatever else the module asks waits behind.
 */
import { Fault } from '../core/fault.ts';
import type { Json } from '../core/json.ts';
import {
  defaultKeepLimits,
  KEPT_LIMITS,
  type KeepLimits,
  type KeptAsk,
  type KeptChange,
  type KeptStore,
  type KeptSum,
} from '../core/kept.ts';
import type { ModuleName } from '../core/message.ts';
import type { ModuleLimits, Store } from '../core/ports.ts';
import { utf8Length } from '../core/twin-limits.ts';

type Limits = KeepLimits & Pick<ModuleLimits, 'storageBytesMax'>;

export interface Keeper {
  /**
   * Rejects with REQUEST_INVALID, KEPT_FULL, or what the store has to say. A write is durable when it resolves,
   * and whatever was asked before it has been carried out.
   */
  carryOut(module: ModuleName, ask: KeptAsk, limits: Limits): Promise<Json>;
  /** About what it keeps; a little more than that until it is looked at closely. */
  bytes(module: ModuleName): number;
  /** All of it is removed, durably. */
  forget(module: ModuleName): Promise<void>;
}

type Account = { count: number; bytes: number; measuring: Promise<unknown> | undefined };

/** @param keepers what each module keeps now. */
export function createKeeper(
  store: KeptStore & Pick<Store, 'commit'>,
  keepers: Readonly<Record<ModuleName, KeptSum>>,
): Keeper {
  const accounts = new Map<ModuleName, Account>(
    Object.entries(keepers).map(([name, sum]) => [name, { ...sum, measuring: undefined }]),
  );

  function accountOf(module: ModuleName): Account {
    const account = accounts.get(module) ?? { count: 0, bytes: 0, measuring: undefined };
    accounts.set(module, account);
    return account;
  }

  async function write(
    module: ModuleName,
    changes: readonly KeptChange[],
    limits: Limits,
  ): Promise<null> {
    const account = accountOf(module);
    const added = sizeOf(changes);
    const bytesMax = Math.min(
      limits.keptBytesMax ?? defaultKeepLimits.keptBytesMax,
      limits.storageBytesMax ?? Infinity,
    );
    const countMax = limits.keptCountMax ?? defaultKeepLimits.keptCountMax;
    const fits = (): boolean =>
      added.count === 0 ||
      (account.bytes + added.bytes <= bytesMax && account.count + added.count <= countMax);
    if (!fits()) {
      const measured = measure(module, account, changes);
      account.measuring = measured;
      const replaced = await measured;
      // Those that are replaced make room; until then they count twice.
      account.bytes -= replaced.bytes;
      account.count -= replaced.count;
      if (!fits()) {
        account.bytes += replaced.bytes;
        account.count += replaced.count;
        throw full(module, account, added, { bytesMax, countMax });
      }
    }
    account.bytes += added.bytes;
    account.count += added.count;
    await store.commit([{ kind: 'keep', module, changes }]);
    return null;
  }

  /** Gives what the keys of these changes take now. */
  async function measure(
    module: ModuleName,
    account: Account,
    changes: readonly KeptChange[],
  ): Promise<KeptSum> {
    try {
      const keys = [...new Set(changes.map(([key]) => key))];
      const { all, these } = await store.sumKept(module, keys);
      account.bytes = all.bytes;
      account.count = all.count;
      return these;
    } finally {
      account.measuring = undefined;
    }
  }

  async function carryOut(module: ModuleName, ask: KeptAsk, limits: Limits): Promise<Json> {
    const problem = askProblem(ask);
    if (problem !== undefined) throw new Fault('REQUEST_INVALID', problem);
    const { measuring } = accountOf(module);
    if (measuring !== undefined) {
      await measuring.catch(() => {});
      return await carryOut(module, ask, limits);
    }
    if (ask.what === 'write') return await write(module, ask.changes, limits);
    if (ask.what === 'get') return await store.readKept(module, ask.keys);
    const limit = Math.min(ask.limit, KEPT_LIMITS.pageMax);
    return (await store.listKept(module, { ...ask, limit })) as Json;
  }

  return {
    carryOut,
    bytes: (module) => accounts.get(module)?.bytes ?? 0,
    async forget(module) {
      await store.commit([{ kind: 'forgetKept', module }]);
      accounts.delete(module);
    },
  };
}

function sizeOf(changes: readonly KeptChange[]): KeptSum {
  let count = 0;
  let bytes = 0;
  for (const [key, value] of changes) {
    if (value === null) continue;
    count++;
    bytes += utf8Length(key) + utf8Length(value);
  }
  return { count, bytes };
}

function askProblem(ask: KeptAsk): string | undefined {
  const { keyBytesMax, valueLengthMax, changesLengthMax } = KEPT_LIMITS;
  if (ask.what === 'list') {
    return ask.limit >= 1 ? undefined : 'the limit of a list must be at least 1';
  }
  const keys = ask.what === 'get' ? ask.keys : ask.changes.map(([key]) => key);
  if (keys.some((key) => key === '' || utf8Length(key) > keyBytesMax)) {
    return `a key must have 1 to ${keyBytesMax} bytes`;
  }
  if (ask.what === 'get') return undefined;
  let length = 0;
  for (const [key, value] of ask.changes) {
    const own = value?.length ?? 0;
    length += own;
    if (own > valueLengthMax) {
      return `the value of ${JSON.stringify(key)} takes ${own} characters, more than the ${valueLengthMax} a value may: keep it as a blob, or in parts`;
    }
  }
  return length > changesLengthMax
    ? `a transaction of ${length} characters is more than the ${changesLengthMax} one may have`
    : undefined;
}

function full(
  module: ModuleName,
  now: KeptSum,
  added: KeptSum,
  { bytesMax, countMax }: { readonly bytesMax: number; readonly countMax: number },
): Fault {
  const most =
    now.bytes + added.bytes > bytesMax
      ? `${now.bytes} of ${bytesMax} bytes`
      : `${now.count} of ${countMax} keys`;
  return new Fault(
    'KEPT_FULL',
    `module ${module} keeps ${most}, and this does not fit: delete what it no longer needs, or raise its limit (docs/limits.md)`,
  );
}
