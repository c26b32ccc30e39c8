/**
 * Messages their endpoints failed on until they were moved out of the way. They are kept for a person,
 * who looks at them, sends them again, or throws them away. When there are too many the oldest go.
 */
import type { DeadLetter, Log, Store, StoredDeadLetter, StoreSnapshot } from '../core/ports.ts';
import type { WriteBehind } from './write-behind.ts';

export type DeadLetterLimits = { readonly countMax: number; readonly bytesMax: number };

export const DEAD_LETTER_LIMITS: DeadLetterLimits = { countMax: 10_000, bytesMax: 67_108_864 };

export interface DeadLetters {
  /** Dead letters now, and those that had to make room for newer ones. */
  readonly counters: { count: number; overflowed: number };
  /** The delivery `seq` is one now; resolves when that is on disk. */
  add(seq: number, letter: DeadLetter): Promise<void>;
  /** After `afterId` (0 = from the start), oldest first. */
  list(afterId: number, limit: number): Promise<readonly StoredDeadLetter[]>;
  /** Sends them to their endpoints again, in order; null = all. Resolves with how many, when they are durable there. */
  replay(ids: readonly number[] | null): Promise<number>;
  /** Throws them away; null = all. Resolves with how many. */
  drop(ids: readonly number[] | null): Promise<number>;
}

export type DeadLettersDeps = {
  readonly store: Store;
  readonly write: WriteBehind['write'];
  /** Gives the message to that endpoint, past the routes; resolves when it is durable or delivered. */
  readonly readmit: (letter: DeadLetter) => Promise<void>;
  readonly log: Log;
};

/** Letters read at once. */
const PAGE = 100;

export function createDeadLetters(
  { store, write, readmit, log }: DeadLettersDeps,
  snapshot: StoreSnapshot['deadLetters'],
  limits: DeadLetterLimits = DEAD_LETTER_LIMITS,
): DeadLetters {
  const counters = { count: snapshot.count, overflowed: 0 };
  let bytes = snapshot.bytes;
  // One thing after the other: what is counted is what is there.
  let line: Promise<unknown> = Promise.resolve();

  function inLine<T>(run: () => Promise<T>): Promise<T> {
    const result = line.then(run);
    line = result.catch(() => {});
    return result;
  }

  async function add(seq: number, letter: DeadLetter): Promise<void> {
    const size = letter.message.body.byteLength;
    await makeRoom(size);
    counters.count++;
    bytes += size;
    await write([{ kind: 'deadLetter', seq, ...letter }]);
  }

  async function makeRoom(size: number): Promise<void> {
    while (
      counters.count > 0 &&
      (counters.count >= limits.countMax || bytes + size > limits.bytesMax)
    ) {
      const [oldest] = await store.readDeadLetters(0, 1);
      if (oldest === undefined) return;
      log.warn('the oldest dead letter made room for a new one', {
        id: oldest.id,
        endpoint: oldest.endpoint,
        ...limits,
      });
      counters.overflowed++;
      await forget([oldest]);
    }
  }

  async function forget(letters: readonly StoredDeadLetter[]): Promise<void> {
    counters.count -= letters.length;
    for (const { message } of letters) bytes -= message.body.byteLength;
    await write([{ kind: 'dropDeadLetters', ids: letters.map(({ id }) => id) }]);
  }

  /** Those of `ids` that were there at the beginning, page by page. */
  async function each(
    ids: readonly number[] | null,
    carryOut: (letters: readonly StoredDeadLetter[]) => Promise<void>,
  ): Promise<number> {
    const wanted = ids === null ? undefined : new Set(ids);
    let left = counters.count;
    let count = 0;
    for (let afterId = 0; left > 0; ) {
      const page = await store.readDeadLetters(afterId, Math.min(left, PAGE));
      if (page.length === 0) break;
      left -= page.length;
      afterId = (page.at(-1) as StoredDeadLetter).id;
      const letters = page.filter(({ id }) => wanted?.has(id) ?? true);
      if (letters.length > 0) await carryOut(letters);
      count += letters.length;
    }
    return count;
  }

  return {
    counters,
    add: (seq, letter) => inLine(() => add(seq, letter)),
    list: (afterId, limit) => store.readDeadLetters(afterId, limit),
    replay: (ids) =>
      inLine(() =>
        each(ids, async (letters) => {
          // First there, then not here: a cut between the two sends them twice rather than never.
          await Promise.all(letters.map(readmit));
          await forget(letters);
        }),
      ),
    drop: (ids) => inLine(() => each(ids, forget)),
  };
}
