/** Wake-ups by the calendar: `import { schedule } from 'isolet'` (docs/modules-api.md). */
import { readPattern } from './cron-pattern.ts';
import { askKept } from './kept-calls.ts';
import { createPlan, type Pattern, type Plan, type PlannedWake } from './schedule-plan.ts';

export type ScheduleOptions = {
  /** IANA's name; `TZ` of the module's environment when not given, and UTC without that. */
  readonly timezone?: string;
  /** With a name it is known over restarts when it last ran. One schedule for each name. */
  readonly name?: string;
  /** Of those missed while the module did not run, one is made up for at the start: true when not given. */
  readonly catchUp?: boolean;
};

export type Wake = {
  /** The moment it was meant for. */
  readonly at: Date;
  /** Wake-ups since the last one that nobody was called for; 100 means so many or more. */
  readonly missed: number;
};

export type Schedule = {
  /** The next moment; undefined when there is none. */
  next(): Date | undefined;
  /** No more calls after this. */
  stop(): void;
};

const SCHEDULES_MAX = 100;
const NAME_LENGTH_MAX = 100;
/** A key no module can use. */
const KEY = '\0schedule/';

const names = new Set<string>();
let count = 0;

/**
 * Calls `handler` whenever `pattern` says (`minute hour day month weekday`, seconds before them if you like), never
 * while it is still at work. What it throws is an error nobody caught. Throws for a pattern or zone there is not.
 */
export function schedule(
  pattern: string,
  handler: (wake: Wake) => unknown,
  options: ScheduleOptions = {},
): Schedule {
  const { name, timezone = process.env['TZ'] ?? 'UTC', catchUp = true } = options;
  if (typeof handler !== 'function') throw new TypeError('The handler must be a function.');
  const moments = readPattern(pattern, timezone);
  begin(name);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stopped = false;

  async function run(): Promise<void> {
    const since = name === undefined ? undefined : await readSince(name);
    const plan = createPlan(moments, since, Date.now());
    if (name !== undefined && since === undefined) await writeSince(name, plan);
    let carried = since === undefined || catchUp ? 0 : missedAtStart(plan);
    while (!stopped) {
      const look = plan.look(Date.now());
      if ('waitMs' in look) {
        await rest(look.waitMs);
        continue;
      }
      if (look.wake === undefined) return stop();
      // Before it is called: a module it ends is not called for the same moment again and again.
      if (name !== undefined) await writeSince(name, plan);
      await call(look.wake, carried);
      carried = 0;
    }
  }

  async function call({ atMs, missed }: PlannedWake, carried: number): Promise<void> {
    if (stopped) return;
    await handler({ at: new Date(atMs), missed: missed + carried });
  }

  function rest(ms: number): Promise<void> {
    return new Promise((resolve) => {
      timer = setTimeout(resolve, ms);
    });
  }

  function stop(): void {
    if (stopped) return;
    stopped = true;
    clearTimeout(timer);
    count--;
    if (name !== undefined) names.delete(name);
  }

  void run();
  return { next: () => nextOf(moments), stop };
}

function begin(name: string | undefined): void {
  if (count >= SCHEDULES_MAX) {
    throw new RangeError(`A module may have ${SCHEDULES_MAX} schedules at once.`);
  }
  if (name !== undefined) {
    if (name === '' || name.length > NAME_LENGTH_MAX || !name.isWellFormed()) {
      throw new TypeError(`The name of a schedule must have 1 to ${NAME_LENGTH_MAX} characters.`);
    }
    if (names.has(name)) throw new Error(`There is a schedule "${name}" already.`);
    names.add(name);
  }
  count++;
}

/** What was slept through is counted and not made up for. */
function missedAtStart(plan: Plan): number {
  const look = plan.look(Date.now());
  return 'waitMs' in look || look.wake === undefined ? 0 : look.wake.missed + 1;
}

function nextOf(moments: Pattern): Date | undefined {
  const ms = moments.next(Date.now());
  return ms === undefined ? undefined : new Date(ms);
}

async function readSince(name: string): Promise<number | undefined> {
  const [text] = (await askKept({ what: 'get', keys: [KEY + name] })) as readonly (string | null)[];
  const ms = Number(text ?? Number.NaN);
  return Number.isFinite(ms) ? ms : undefined;
}

async function writeSince(name: string, plan: Plan): Promise<void> {
  const since = plan.since();
  if (since === undefined) return;
  try {
    await askKept({ what: 'write', changes: [[KEY + name, String(since)]] });
  } catch (error) {
    // It is woken all the same: a full disk is no reason to sleep.
    console.warn(`The schedule "${name}" cannot keep when it ran: ${String(error)}`);
  }
}
