/** Times as people write them to IoT Edge: RFC 3339, Unix seconds, or how long ago ("1d", "2 days 3 hours"). */

const units: readonly (readonly [RegExp, number])[] = [
  [/^(nanos|nsecs?|ns)$/, 1e-6],
  [/^(micros|usecs?|us)$/, 1e-3],
  [/^(millis|msecs?|ms)$/, 1],
  [/^(seconds?|secs?|s)$/, 1_000],
  [/^(minutes?|mins?|m)$/, 60_000],
  [/^(hours?|hrs?|hr|h)$/, 3_600_000],
  [/^(days?|d)$/, 86_400_000],
  [/^(weeks?|w)$/, 604_800_000],
  [/^(months?|M)$/, 2_630_016_000],
  [/^(years?|y)$/, 31_557_600_000],
];

/** "2h30m" in ms; undefined when it is no duration. */
export function parseDurationMs(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^([0-9]+\s*[a-zA-Z]+\s*)+$/.test(trimmed) || trimmed.length > 100) return undefined;
  let totalMs = 0;
  for (const [, count, name] of trimmed.matchAll(/([0-9]+)\s*([a-zA-Z]+)/g)) {
    const unit = units.find(([names]) => names.test(name as string));
    if (unit === undefined) return undefined;
    totalMs += Number(count) * unit[1];
  }
  return totalMs;
}

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/** A moment in ms since 1970; undefined when it is none of the three. */
export function parseMomentMs(text: string, nowMs: number): number | undefined {
  const trimmed = text.trim();
  if (/^[0-9]{1,12}(\.[0-9]{1,9})?$/.test(trimmed)) return Number(trimmed) * 1_000;
  if (RFC_3339.test(trimmed)) {
    const ms = Date.parse(trimmed.replace(' ', 'T'));
    return Number.isNaN(ms) ? undefined : ms;
  }
  const agoMs = parseDurationMs(trimmed);
  return agoMs === undefined ? undefined : nowMs - agoMs;
}
