/**
 * What was told, what came, and when something was killed: do they keep the promise? Pure, so that
 * kill-ledger.test.ts can show that each breach is found.
 *
 *   counter ──▶ pipe ──▶ hub      a step at the modules (counter's numbers), one at the hub (pipe's)
 *         └───▶ sink
 *
 * At each step a receiver sees numbers 0, 1, 2, … of one life of a sender. After a kill a stretch of
 * them may come again; so the stream is stretches, each strictly rising, and each new one needs a
 * kill of somebody who takes part in the step between the two arrivals where it begins.
 */

export type Victim = 'supervisor' | 'host' | 'hub';

/** Wall clock, ms: before the signal, and when it was seen dead. */
type Kill = {
  readonly victim: Victim;
  readonly round: number;
  readonly fromMs: number;
  readonly toMs: number;
};

/** One message of a life of `counter`, as one life of a module took it. Lives are named by their start, wall clock ms. */
export type Taken = {
  readonly run: number;
  readonly number: number;
  readonly life: number;
  /** Counts what this life took, from 0. */
  readonly index: number;
  readonly atMs: number;
};

export type Verdict = {
  /** Messages whose sender was told yes. */
  readonly told: number;
  /** Of those, not at the hub, and not at the local receiver. */
  readonly missing: number;
  readonly missingLocally: number;
  /** First arrivals after a later number of the same sender, at any step. */
  readonly outOfOrder: number;
  /** Repeated without a kill that could explain it, at any step. */
  readonly unexplained: number;
  /** Different messages at the hub, told or not. */
  readonly arrived: number;
  /** Arrivals at the hub, and at the local receiver, beyond each message's first. */
  readonly duplicates: number;
  readonly duplicatesLocally: number;
  readonly roundsWithDuplicates: number;
  /** Numbers never seen although later ones of the same sender were, at any step: allowed while nobody was told. */
  readonly holes: number;
  /** The first breaches, in words. */
  readonly examples: readonly string[];
};

export interface Ledger {
  told(run: number, number: number): void;
  /** The local receiver took it. */
  local(taken: Taken): void;
  /** It came to the hub, which stamped it `hubAtMs`; in the hub's order. */
  arrived(taken: Taken, hubAtMs: number): void;
  killed(kill: Kill): void;
  /** Told messages that are not yet at both ends. */
  open(): number;
  arrivals(): number;
  verdict(): Verdict;
}

/** The hub may read what a dead supervisor left in the socket: its stamp is that much later than the sending, at most. */
const IN_FLIGHT_MS = 1_000;
const EXAMPLES_MAX = 10;

export function createLedger(): Ledger {
  const told = new Set<string>();
  const here = new Map<string, number>();
  const there = new Map<string, number>();
  const locals: Taken[] = [];
  const arrivals: (Taken & { readonly hubAtMs: number })[] = [];
  const kills: Kill[] = [];
  const count = (map: Map<string, number>, { run, number }: Taken): void => {
    const name = `${run}-${number}`;
    map.set(name, (map.get(name) ?? 0) + 1);
  };
  const missing = (map: ReadonlyMap<string, number>): readonly string[] =>
    [...told].filter((name) => !map.has(name));

  function verdict(): Verdict {
    const examples: string[] = [];
    const totals = { outOfOrder: 0, unexplained: 0, holes: 0 };
    const rounds = new Set<number>();
    const say = (text: string): void => {
      if (examples.length < EXAMPLES_MAX) examples.push(text);
    };
    function check(
      what: string,
      seen: readonly Seen[],
      victims: readonly Victim[],
      slopMs: number,
    ) {
      const result = checkStream(seen, (fromMs, toMs) =>
        kills.findLast(
          (kill) =>
            victims.includes(kill.victim) && kill.fromMs <= toMs && kill.toMs >= fromMs - slopMs,
        ),
      );
      totals.outOfOrder += result.outOfOrder;
      totals.unexplained += result.unexplained;
      totals.holes += result.holes;
      for (const kill of result.kills) rounds.add(kill.round);
      for (const example of result.examples) say(`${what}: ${example}`);
    }

    // What the pipe took, we know from what it sent: one of each, in the order it took them.
    const piped = new Map(arrivals.map((taken) => [`${taken.life}-${taken.index}`, taken]));
    for (const [receiver, taken] of [
      ['pipe', [...piped.values()]],
      ['sink', locals],
    ] as const) {
      const inOrder = taken.toSorted((a, b) => a.life - b.life || a.index - b.index);
      for (const [run, seen] of Map.groupBy(inOrder, (one) => one.run)) {
        check(`counter ${run} at ${receiver}`, seen, ['supervisor', 'host'], 0);
      }
    }
    for (const [life, taken] of Map.groupBy(arrivals, (one) => one.life)) {
      const seen = taken.map(({ index, hubAtMs }) => ({ number: index, atMs: hubAtMs }));
      check(`pipe ${life} at the hub`, seen, ['supervisor', 'hub'], IN_FLIGHT_MS);
    }
    // The promise itself, end to end.
    for (const [run, taken] of Map.groupBy(arrivals, (one) => one.run)) {
      const seen = taken.map(({ number, hubAtMs }) => ({ number, atMs: hubAtMs }));
      check(`counter ${run} at the hub`, seen, ['supervisor', 'host', 'hub'], Infinity);
    }

    const lost = missing(there);
    const lostLocally = missing(here);
    for (const name of lost.slice(0, 3)) say(`told, and not at the hub: ${name}`);
    for (const name of lostLocally.slice(0, 3)) say(`told, and not at sink: ${name}`);
    return {
      told: told.size,
      missing: lost.length,
      missingLocally: lostLocally.length,
      ...totals,
      arrived: there.size,
      duplicates: arrivals.length - there.size,
      duplicatesLocally: locals.length - here.size,
      roundsWithDuplicates: rounds.size,
      examples,
    };
  }

  return {
    told: (run, number) => void told.add(`${run}-${number}`),
    local(taken) {
      locals.push(taken);
      count(here, taken);
    },
    arrived(taken, hubAtMs) {
      arrivals.push({ ...taken, hubAtMs });
      count(there, taken);
    },
    killed: (kill) => void kills.push(kill),
    open: () => missing(there).length + missing(here).length,
    arrivals: () => arrivals.length,
    verdict,
  };
}

type Seen = { readonly number: number; readonly atMs: number };

function checkStream(
  stream: readonly Seen[],
  killBetween: (fromMs: number, toMs: number) => Kill | undefined,
) {
  const seen = new Set<number>();
  const kills = new Set<Kill>();
  const examples: string[] = [];
  let outOfOrder = 0;
  let unexplained = 0;
  let highest = -1;
  let last: Seen | undefined;
  let why: Kill | undefined;
  for (const one of stream) {
    if (last !== undefined && one.number <= last.number) {
      why = killBetween(last.atMs, one.atMs);
      if (why === undefined) {
        const gapMs = one.atMs - last.atMs;
        examples.push(`${one.number} after ${last.number}, ${gapMs} ms later, without a kill`);
      }
    }
    last = one;
    if (seen.has(one.number)) {
      if (why === undefined) unexplained++;
      else kills.add(why);
    } else if (one.number < highest) {
      outOfOrder++;
      examples.push(`${one.number} for the first time after ${highest}`);
    }
    seen.add(one.number);
    highest = Math.max(highest, one.number);
  }
  return { outOfOrder, unexplained, holes: highest + 1 - seen.size, kills, examples };
}
