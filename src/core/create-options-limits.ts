/**
 * What a module may use, as createOptions say it: Docker's fields for CPU time, and labels of our own
 * (`isolet.…`) for what Docker has no field for. docs/limits.md has the table.
 */
import { NETWORK_LABEL } from './create-options-network.ts';
import { READY_LABEL } from './create-options-ready.ts';
import { UPDATE_ORDER_LABEL } from './create-options-update.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { nearest } from './nearest.ts';
import type { ModuleLimits } from './ports.ts';

/** What a module's settings change of the device's own limits. */
export type LimitSettings = Partial<Omit<ModuleLimits, 'heapMb'>>;

const PREFIX = 'isolet.';
/** Labels of ours that are no limits, and are read elsewhere. */
const otherLabels: readonly string[] = [NETWORK_LABEL, READY_LABEL, UPDATE_ORDER_LABEL];
/** `docker run` takes no less. */
const CPUS_MIN = 0.01;
const NANO = 1_000_000_000;
/** The kernel's bounds for a period and the least quota, µs. */
const PERIOD_US = 100_000;
const PERIOD_US_MIN = 1_000;
const PERIOD_US_MAX = 1_000_000;
const QUOTA_US_MIN = 1_000;
/** More than this is no limit that would help anybody. */
const TEN_MINUTES_MS = 600_000;
/** The SDK in the module keeps no more (guest/limits.ts). */
const REQUESTS_MAX = 32_768;
const TB = 1_099_511_627_776;

/** Every label of ours: whole numbers as text, from 1 to `most`. */
export const limitLabels: Readonly<
  Record<string, { readonly limit: keyof LimitSettings; readonly most: number }>
> = {
  'isolet.blob_bytes': { limit: 'blobBytesMax', most: TB },
  'isolet.blob_count': { limit: 'blobCountMax', most: 1_000_000 },
  'isolet.kept_bytes': { limit: 'keptBytesMax', most: TB },
  'isolet.kept_keys': { limit: 'keptCountMax', most: 10_000_000 },
  'isolet.log_lines_per_second': { limit: 'logLinesPerSecond', most: 1_000_000 },
  'isolet.messages_per_second': { limit: 'messagesPerSecond', most: 1_000_000 },
  'isolet.metric_series': { limit: 'metricSeriesMax', most: 1_000 },
  'isolet.outstanding_requests': { limit: 'outstandingRequestsMax', most: REQUESTS_MAX },
  'isolet.start_ms': { limit: 'startMs', most: TEN_MINUTES_MS },
  'isolet.storage_bytes': { limit: 'storageBytesMax', most: TB },
  'isolet.turn_ms': { limit: 'turnMs', most: TEN_MINUTES_MS },
};

/** @param path where `options` stand in the deployment. Never throws. */
export function readLimits(options: JsonObject, path: string, problems: string[]): LimitSettings {
  const hostConfig = isJsonObject(options['HostConfig']) ? options['HostConfig'] : {};
  const cpuShare = readCpuShare(hostConfig, `${path}.HostConfig`, problems);
  return {
    ...readLabels(options['Labels'], `${path}.Labels`, problems),
    ...(cpuShare === undefined ? {} : { cpuShare }),
  };
}

/** `NanoCpus`, or `CpuQuota` in each `CpuPeriod`, in CPUs; undefined = no limit of its own. */
function readCpuShare(
  { NanoCpus: nano, CpuQuota: quota, CpuPeriod: period }: JsonObject,
  path: string,
  problems: string[],
): number | undefined {
  const nanoProblem = `must be a whole number, ${NANO} for one CPU and ${NANO * CPUS_MIN} at least`;
  const nanoCpus = whole(nano, NANO * CPUS_MIN, Infinity, `${path}.NanoCpus ${nanoProblem}`);
  const quotaProblem = `must be microseconds of CPU time in each CpuPeriod, ${QUOTA_US_MIN} at least, or -1 for no limit`;
  const quotaUs =
    quota === -1
      ? undefined
      : whole(quota, QUOTA_US_MIN, Infinity, `${path}.CpuQuota ${quotaProblem}`);
  const periodProblem = `must be microseconds from ${PERIOD_US_MIN} to ${PERIOD_US_MAX}`;
  const periodUs = whole(
    period,
    PERIOD_US_MIN,
    PERIOD_US_MAX,
    `${path}.CpuPeriod ${periodProblem}`,
  );
  if (nanoCpus !== undefined && quotaUs !== undefined) {
    problems.push(`${path}.CpuQuota says the same as NanoCpus: leave one of them out`);
  }
  if (nanoCpus !== undefined) return nanoCpus / NANO;
  return quotaUs === undefined ? undefined : quotaUs / (periodUs ?? PERIOD_US);

  /** Docker: 0 and null are "not given". */
  function whole(
    value: Json | undefined,
    least: number,
    most: number,
    problem: string,
  ): number | undefined {
    if (value === undefined || value === null || value === 0) return undefined;
    if (Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most) {
      return value as number;
    }
    problems.push(`${problem}, it is ${JSON.stringify(value)}`);
    return undefined;
  }
}

/** Labels of others are none of our business. */
function readLabels(value: Json | undefined, path: string, problems: string[]): LimitSettings {
  if (value === undefined || value === null) return {};
  if (!isJsonObject(value)) {
    problems.push(`${path} must be an object of texts by name`);
    return {};
  }
  const settings: { -readonly [Key in keyof LimitSettings]: number } = {};
  for (const [name, text] of Object.entries(value)) {
    if (!name.startsWith(PREFIX) || otherLabels.includes(name)) continue;
    const at = `${path}[${JSON.stringify(name)}]`;
    const label = Object.hasOwn(limitLabels, name) ? limitLabels[name] : undefined;
    if (label === undefined) {
      const near = nearest(name, [...Object.keys(limitLabels), ...otherLabels]);
      problems.push(
        `${at} is no label there is${near === undefined ? '' : `: did you mean ${near}?`}`,
      );
      continue;
    }
    const number = typeof text === 'string' && /^[1-9]\d{0,15}$/.test(text) ? Number(text) : 0;
    if (number >= 1 && number <= label.most) settings[label.limit] = number;
    else {
      problems.push(
        `${at} must be a whole number from 1 to ${label.most} as text, it is ${JSON.stringify(text)}`,
      );
    }
  }
  return settings;
}
