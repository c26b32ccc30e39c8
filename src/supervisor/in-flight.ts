/** What is under way, by the order it began in; and what has to wait until all before it is over. */
export interface InFlight {
  /** Something begins; gives its number. */
  begin(): number;
  end(number: number): void;
  /** Runs when all that began before is over: at once, if it is. In the order of the calls. */
  afterAll(run: () => void): void;
}

export function createInFlight(): InFlight {
  let last = 0;
  /** All up to here are over. */
  let overUpTo = 0;
  const overBeyond = new Set<number>();
  let waiting: { readonly upTo: number; readonly run: () => void }[] = [];

  function release(): void {
    const open = waiting.findIndex(({ upTo }) => upTo > overUpTo);
    const ready = open === -1 ? waiting : waiting.slice(0, open);
    waiting = open === -1 ? [] : waiting.slice(open);
    for (const { run } of ready) run();
  }

  return {
    begin: () => ++last,
    end(number) {
      if (number !== overUpTo + 1) {
        overBeyond.add(number);
        return;
      }
      overUpTo = number;
      while (overBeyond.delete(overUpTo + 1)) overUpTo++;
      const [first] = waiting;
      if (first !== undefined && first.upTo <= overUpTo) release();
    },
    afterAll(run) {
      if (overUpTo === last) run();
      else waiting.push({ upTo: last, run });
    },
  };
}
