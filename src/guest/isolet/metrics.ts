/** Metrics of a module's own: `import { metrics } from 'isolet'` (docs/modules-api.md). */
import {
  labelNameProblem,
  METRIC_LIMITS,
  type MetricFamily,
  type MetricKind,
  metricNameProblem,
} from '../../core/own-metrics.ts';
import { takeSeam } from '../seam.ts';

const seam = takeSeam();

/** A value for each label the metric has. */
export type MetricLabels = Readonly<Record<string, string | number | boolean>>;

export type MetricOptions = {
  /** One sentence for whoever reads it. */
  readonly help?: string;
  /** Names of its labels. */
  readonly labels?: readonly string[];
};

export type HistogramOptions = MetricOptions & {
  /** Upper bounds, growing; Prometheus's own for seconds when not given. */
  readonly buckets?: readonly number[];
};

export type Counter = {
  /** By 1 when not given; never by less than 0. */
  add(amount?: number, labels?: MetricLabels): void;
};
export type Gauge = {
  set(value: number, labels?: MetricLabels): void;
  add(amount: number, labels?: MetricLabels): void;
};
export type Histogram = { observe(value: number, labels?: MetricLabels): void };

export type Metrics = {
  /** The same name gives the same metric; another kind or other labels for it throw. */
  counter(name: string, options?: MetricOptions): Counter;
  gauge(name: string, options?: MetricOptions): Gauge;
  histogram(name: string, options?: HistogramOptions): Histogram;
};

type Series = { readonly labels: readonly string[]; counts: number[]; value: number };
type Family = Omit<MetricFamily, 'series'> & {
  readonly series: Map<string, Series>;
  readonly changed: Set<Series>;
};

/** What has changed is told so long after, ms: at most once in that time. */
const TELL_MS = 1_000;
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

const families = new Map<string, Family>();
let seriesCount = 0;
let dropped = 0;
let telling = false;

function familyOf(
  name: string,
  kind: MetricKind,
  { help = '', labels = [], buckets = BUCKETS }: HistogramOptions,
): Family {
  check(metricNameProblem(name), `The name "${name}"`);
  for (const label of labels) check(labelNameProblem(label), `The label "${label}" of ${name}`);
  const bounds = kind === 'histogram' ? [...buckets] : [];
  if (bounds.some((bound, at) => !(bound > (bounds[at - 1] ?? -Infinity)) || bound === Infinity)) {
    throw new TypeError(`The buckets of ${name} must be numbers that grow.`);
  }
  const { labelsMax, bucketsMax, familiesMax, helpLengthMax } = METRIC_LIMITS;
  const problem = 'has more than there may be';
  check(labels.length > labelsMax ? problem : undefined, `The labels of ${name}: it`);
  check(bounds.length > bucketsMax ? problem : undefined, `The buckets of ${name}: it`);
  const family = { name, kind, help: help.slice(0, helpLengthMax), labels: [...labels], bounds };
  const known = families.get(name);
  if (known !== undefined) {
    if (
      `${known.kind} ${known.labels.join()} ${known.bounds.join()}` ===
      `${kind} ${labels.join()} ${bounds.join()}`
    ) {
      return known;
    }
    throw new TypeError(`There is a ${known.kind} ${name} already, with other labels or buckets.`);
  }
  if (families.size >= familiesMax)
    throw new RangeError(`A module may have ${familiesMax} metrics.`);
  const made = { ...family, series: new Map<string, Series>(), changed: new Set<Series>() };
  families.set(name, made);
  return made;
}

function check(problem: string | undefined, what: string): void {
  if (problem !== undefined) throw new TypeError(`${what} ${problem}.`);
}

/** The series with these labels; undefined when there are too many. */
function seriesOf(family: Family, given: MetricLabels = {}): Series | undefined {
  const values: string[] = [];
  for (const label of family.labels) {
    const value = given[label];
    if (value === undefined) throw new TypeError(`${family.name} needs the label "${label}".`);
    values.push(String(value).slice(0, METRIC_LIMITS.labelLengthMax));
  }
  const key = values.join('\0');
  const known = family.series.get(key);
  if (known !== undefined) return known;
  for (const name of Object.keys(given)) {
    if (!family.labels.includes(name))
      throw new TypeError(`${family.name} has no label "${name}".`);
  }
  if (seriesCount >= METRIC_LIMITS.seriesMax) {
    if (dropped++ === 0) {
      console.warn(
        `${family.name}: a module may have ${METRIC_LIMITS.seriesMax} combinations of label values; new ones are dropped.`,
      );
    }
    return undefined;
  }
  seriesCount++;
  const counts = family.bounds.length === 0 && family.kind !== 'histogram' ? [] : newCounts(family);
  const series: Series = { labels: values, counts, value: 0 };
  family.series.set(key, series);
  return series;
}

function newCounts({ bounds }: Family): number[] {
  return Array<number>(bounds.length + 1).fill(0);
}

function change(
  family: Family,
  labels: MetricLabels | undefined,
  amount: number,
  apply: (series: Series) => void,
): void {
  if (!Number.isFinite(amount)) throw new TypeError(`${family.name} takes numbers, not ${amount}.`);
  const series = seriesOf(family, labels);
  if (series === undefined) return;
  apply(series);
  if (!Number.isFinite(series.value)) series.value = Number.MAX_VALUE;
  family.changed.add(series);
  if (telling) return;
  telling = true;
  setTimeout(tell, TELL_MS);
}

function tell(): void {
  telling = false;
  const told: MetricFamily[] = [];
  for (const { series: _all, changed, ...family } of families.values()) {
    if (changed.size === 0) continue;
    const series = [...changed].map(
      ({ labels, counts, value }) =>
        [labels, family.kind === 'histogram' ? { counts, sum: value } : value] as const,
    );
    changed.clear();
    told.push({ ...family, series });
  }
  seam.request({ t: 'metrics', families: told });
}

export const metrics: Metrics = {
  counter(name, options = {}) {
    const family = familyOf(name, 'counter', options);
    return {
      add(amount = 1, labels) {
        if (amount < 0) throw new RangeError(`${name} only grows: ${amount} is less than 0.`);
        change(family, labels, amount, (series) => (series.value += amount));
      },
    };
  },
  gauge(name, options = {}) {
    const family = familyOf(name, 'gauge', options);
    return {
      set: (value, labels) => change(family, labels, value, (series) => (series.value = value)),
      add: (amount, labels) => change(family, labels, amount, (series) => (series.value += amount)),
    };
  },
  histogram(name, options = {}) {
    const family = familyOf(name, 'histogram', options);
    return {
      observe(value, labels) {
        change(family, labels, value, (series) => {
          const bucket = family.bounds.findIndex((bound) => value <= bound);
          const at = bucket === -1 ? family.bounds.length : bucket;
          series.counts[at] = (series.counts[at] ?? 0) + 1;
          series.value += value;
        });
      },
    };
  },
};
