/**
 * How every benchmark talks: for a person a table of the least, the median and the most of several
 * runs, for a machine one JSON line at the end, alone with `--json`.
 */
import { parseArgs } from 'node:util';

export type Spread = { readonly min: number; readonly median: number; readonly max: number };

export type Peer = {
  /** The same figures of the peer; null when it is not here. */
  readonly peer: unknown;
  /** Who the peer is, with its version. */
  readonly against: string;
  /** How many times better than the peer; null when there is nothing to compare. */
  readonly ratio: number | null;
  /** What is missing and how to get it. */
  readonly skipped?: string;
};

export type Outcome = Peer & {
  readonly isolet: unknown;
  /** The same against more peers. */
  readonly others?: readonly Peer[];
};

/** To be written at its variable, or the compiler does not know that `end` is the end. */
export interface Bench<Name extends string> {
  readonly settings: Readonly<Record<Name, number>>;
  /** A sentence for a person. */
  say(text: string): void;
  /** One line of the table; gives the spread back. */
  row(what: string, unit: string, values: readonly number[]): Spread;
  /** The JSON line; ends the process. */
  end(outcome: Outcome): never;
}

/** `settings` are the numbers a caller may set (`--runs 5`), with their defaults. */
export function openBench<Name extends string>(
  bench: string,
  settings: Readonly<Record<Name, number>>,
): Bench<Name> {
  const { json, numbers } = readOptions(bench, settings);
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const say = (text: string): void => {
    if (!json) print(text);
  };
  say(line(bench, 'unit', ['min', 'median', 'max']));

  return {
    settings: numbers,
    say,
    row(what, unit, values) {
      const found = spread(values);
      say(line(what, unit, [found.min, found.median, found.max].map(String)));
      return found;
    },
    end(outcome) {
      for (const { against, ratio, skipped } of [outcome, ...(outcome.others ?? [])]) {
        if (skipped !== undefined) say(`skipped: ${skipped}`);
        else if (ratio !== null) say(`${ratio} × ${against}`);
      }
      print(JSON.stringify({ bench, ...outcome }));
      process.exit(0);
    },
  };
}

function readOptions<Name extends string>(
  bench: string,
  settings: Readonly<Record<Name, number>>,
): { readonly json: boolean; readonly numbers: Readonly<Record<Name, number>> } {
  const names = Object.keys(settings) as Name[];
  try {
    const { json, ...given } = parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        ...Object.fromEntries(names.map((name) => [name, { type: 'string' as const }])),
      },
    }).values as { readonly json: boolean } & Readonly<Record<string, string>>;
    const numbers = names.map((name) => [name, Number(given[name] ?? settings[name])] as const);
    const wrong = numbers.find(([, value]) => !Number.isInteger(value) || value <= 0);
    if (wrong !== undefined) throw new Error(`--${wrong[0]} must be a whole number above 0`);
    return { json, numbers: Object.fromEntries(numbers) as Record<Name, number> };
  } catch (cause) {
    const options = names.map((name) => `[--${name} ${settings[name]}]`).join(' ');
    process.stderr.write(`${(cause as Error).message}\nusage: ${bench} [--json] ${options}\n`);
    process.exit(1);
  }
}

function spread(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (index: number): number => sorted[index] ?? Number.NaN;
  const [below, above] = [Math.floor, Math.ceil].map((to) => at(to((sorted.length - 1) / 2)));
  return {
    min: rounded(at(0)),
    median: rounded(((below as number) + (above as number)) / 2),
    max: rounded(at(sorted.length - 1)),
  };
}

/** How many times better, when less (or more) is better; null when that cannot be said. */
export function ratio(over: number, under: number): number | null {
  const times = over / under;
  return Number.isFinite(times) && times > 0 ? Number(times.toPrecision(3)) : null;
}

/** Four digits: more is noise. */
function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

function line(what: string, unit: string, [min, median, max]: readonly string[]): string {
  const cells = [min, median, max].map((cell = '') => cell.padStart(10));
  return `${what.padEnd(52)} ${unit.padEnd(11)}${cells.join('')}`;
}
