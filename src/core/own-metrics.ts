/** Metrics of a module's own (`metrics` of 'isolet'): what may cross the border, and how Prometheus reads it. */

/** Every limit but the number of series, which is the module's own (ModuleLimits). */
export const METRIC_LIMITS = {
  familiesMax: 100,
  labelsMax: 10,
  labelLengthMax: 128,
  helpLengthMax: 200,
  bucketsMax: 50,
  seriesMax: 1_000,
} as const;

export type MetricKind = 'counter' | 'gauge' | 'histogram';

/** Of a histogram: how many fell into each bucket, the last one for all above the bounds; and their sum. */
type Distribution = { readonly counts: readonly number[]; readonly sum: number };

export type MetricFamily = {
  readonly name: string;
  readonly kind: MetricKind;
  readonly help: string;
  /** Names of labels; each series has a value for each. */
  readonly labels: readonly string[];
  /** Upper bounds of a histogram's buckets, growing; empty for the others. */
  readonly bounds: readonly number[];
  /** Those that have changed, each as it is now. */
  readonly series: readonly (readonly [labels: readonly string[], value: number | Distribution])[];
};

const NAME = /^[a-zA-Z_][a-zA-Z0-9_]{0,99}$/;
/** The first says whose it is, the second which bucket. */
const RESERVED = new Set(['module', 'le']);

/** What is wrong with it as a metric's name; undefined = nothing. */
export function metricNameProblem(name: unknown): string | undefined {
  return typeof name === 'string' && NAME.test(name)
    ? undefined
    : 'must be a letter or _ and up to 99 letters, digits and _';
}

export function labelNameProblem(name: unknown): string | undefined {
  if (typeof name === 'string' && (RESERVED.has(name) || name.startsWith('__'))) {
    return 'is a label of the runtime’s own';
  }
  return metricNameProblem(name);
}

/** What is wrong with families that came out of an isolate. */
export function familiesProblem(value: unknown): string | undefined {
  if (!Array.isArray(value) || value.length > METRIC_LIMITS.familiesMax)
    return 'families are no list, or too many';
  return value.map(familyProblem).find((problem) => problem !== undefined);
}

function familyProblem(value: unknown): string | undefined {
  const family = (value ?? {}) as Readonly<Record<keyof MetricFamily, unknown>>;
  const { name, kind, help, labels, bounds, series } = family;
  if (metricNameProblem(name) !== undefined) return 'a metric has no name';
  if (kind !== 'counter' && kind !== 'gauge' && kind !== 'histogram') return 'a metric has no kind';
  if (typeof help !== 'string' || help.length > METRIC_LIMITS.helpLengthMax)
    return 'help is no short text';
  if (!isList(labels, METRIC_LIMITS.labelsMax, (one) => labelNameProblem(one) === undefined)) {
    return 'labels are none';
  }
  if (new Set(labels).size !== labels.length) return 'labels are there twice';
  if (!isList(bounds, METRIC_LIMITS.bucketsMax, Number.isFinite)) return 'bounds are no numbers';
  if (kind !== 'histogram' && bounds.length > 0) return 'only a histogram has bounds';
  const isValue =
    kind === 'histogram'
      ? (one: unknown) => isDistribution(one, bounds.length + 1)
      : Number.isFinite;
  const isSeries = (one: unknown): boolean =>
    Array.isArray(one) &&
    one.length === 2 &&
    isList(one[0], labels.length, isLabel) &&
    one[0].length === labels.length &&
    isValue(one[1]);
  return isList(series, METRIC_LIMITS.seriesMax, isSeries) ? undefined : 'series are none';
}

function isList(
  value: unknown,
  most: number,
  fits: (one: unknown) => boolean,
): value is readonly unknown[] {
  return Array.isArray(value) && value.length <= most && value.every(fits);
}

function isLabel(value: unknown): boolean {
  return typeof value === 'string' && value.length <= METRIC_LIMITS.labelLengthMax;
}

function isDistribution(value: unknown, buckets: number): boolean {
  const { counts, sum } = (value ?? {}) as Partial<Distribution>;
  return Number.isFinite(sum) && isList(counts, buckets, isCount) && counts.length === buckets;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/**
 * The text format of Prometheus, version 0.0.4. A name has one kind: who comes first says which, and those of
 * others by another kind are left out, with a comment.
 */
export function prometheusText(
  modules: Iterable<readonly [module: string, families: readonly MetricFamily[]]>,
): string {
  const byName = new Map<string, { kind: MetricKind; lines: string[] }>();
  for (const [module, families] of modules) {
    for (const family of families) {
      const { name, kind, help } = family;
      let group = byName.get(name);
      if (group === undefined) {
        const about = help === '' ? [] : [`# HELP ${name} ${escape(help, /[\\\n]/g)}`];
        group = { kind, lines: [...about, `# TYPE ${name} ${kind}`] };
        byName.set(name, group);
      }
      if (group.kind === kind) group.lines.push(...linesOf(module, family));
      else
        group.lines.push(`# of module ${escape(module, /[\\\n]/g)} it is a ${kind}, and left out`);
    }
  }
  return [...byName.values()].flatMap(({ lines }) => [...lines, '']).join('\n');
}

function linesOf(module: string, { name, labels, bounds, series }: MetricFamily): string[] {
  const line = (suffix: string, given: readonly (readonly [string, string])[], value: number) => {
    const all = [['module', module] as const, ...given];
    const text = all.map(([label, one]) => `${label}="${escape(one, /[\\"\n]/g)}"`).join(',');
    return `${name}${suffix}{${text}} ${value}`;
  };
  return series.flatMap(([values, value]) => {
    const given = labels.map((label, at) => [label, values[at] ?? ''] as const);
    if (typeof value === 'number') return [line('', given, value)];
    let below = 0;
    const buckets = value.counts.map((count, at) => {
      below += count;
      return line('_bucket', [...given, ['le', String(bounds[at] ?? '+Inf')]], below);
    });
    return [...buckets, line('_sum', given, value.sum), line('_count', given, below)];
  });
}

function escape(text: string, what: RegExp): string {
  return text.replace(what, (one) => (one === '\n' ? '\\n' : `\\${one}`));
}
