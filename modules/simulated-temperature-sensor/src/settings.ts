/** The sensor's settings: from the environment at start, then from the twin. */

export type Environment = Readonly<Record<string, string | undefined>>;

export type SensorSettings = {
  readonly messageDelayMs: number;
  /** Stop sending after so many; -1 = never. */
  readonly messageCount: number;
  /** °C */
  readonly machineTempMin: number;
  readonly machineTempMax: number;
  /** bar */
  readonly machinePressureMin: number;
  readonly machinePressureMax: number;
  readonly ambientTemp: number;
  readonly ambientHumidity: number;
};

/** What the twin decides. */
export type Sending = { readonly enabled: boolean; readonly intervalMs: number };

/** The longest delay a timer can wait: 24 days. */
const DELAY_MS_MAX = 2_147_483_647;

/** Defaults are IoT Edge's. Problems are sentences; what is wrong keeps its default. */
export function readSettings(env: Environment, problems: string[]): SensorSettings {
  const number = (name: string, fallback: number): number => {
    const text = lookUp(env, name);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (text.trim() !== '' && Number.isFinite(value)) return value;
    problems.push(`${name} must be a number, it is "${text}": using ${fallback}`);
    return fallback;
  };
  const delay = lookUp(env, 'MessageDelay') ?? '00:00:05';
  const messageDelayMs = parseTimeSpan(delay);
  if (messageDelayMs === undefined || messageDelayMs > DELAY_MS_MAX) {
    problems.push(
      `MessageDelay must be a time span like "00:00:05" or "00:00:00.500", it is "${delay}": using 5 s`,
    );
  }
  return {
    messageDelayMs: Math.min(messageDelayMs ?? 5_000, DELAY_MS_MAX),
    messageCount: number('MessageCount', 500),
    machineTempMin: number('machineTempMin', 21),
    machineTempMax: number('machineTempMax', 100),
    machinePressureMin: number('machinePressureMin', 1),
    machinePressureMax: number('machinePressureMax', 10),
    ambientTemp: number('ambientTemp', 21),
    ambientHumidity: number('ambientHumidity', 25),
  };
}

/** .NET finds settings whatever their case, so deployments write them in any. */
function lookUp(env: Environment, name: string): string | undefined {
  const wanted = name.toLowerCase();
  const key = Object.keys(env).find((each) => each.toLowerCase() === wanted);
  return key === undefined ? undefined : env[key];
}

/** Milliseconds of a .NET TimeSpan, `[d.]hh:mm[:ss[.fffffff]]` or whole days; undefined when it is none. */
export function parseTimeSpan(text: string): number | undefined {
  const days = /^\s*(\d+)\s*$/.exec(text)?.[1];
  if (days !== undefined) return Number(days) * 86_400_000;
  const match = /^\s*(?:(\d+)\.)?(\d{1,2}):(\d{1,2})(?::(\d{1,2})(\.\d{1,7})?)?\s*$/.exec(text);
  if (match === null) return undefined;
  const [day, hour, minute, second, fraction] = match.slice(1).map((part) => Number(part ?? 0));
  if (hour === undefined || minute === undefined || second === undefined) return undefined;
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const seconds = (((day ?? 0) * 24 + hour) * 60 + minute) * 60 + second;
  return Math.round((seconds + (fraction ?? 0)) * 1_000);
}

/** Applies a desired section or patch; a deleted property goes back to its default. */
export function applyDesired(
  current: Sending,
  patch: Readonly<Record<string, unknown>>,
  defaults: Sending,
  problems: string[],
): Sending {
  let { enabled, intervalMs } = current;
  const data = patch['SendData'];
  if (data === null) enabled = defaults.enabled;
  else if (typeof data === 'boolean') enabled = data;
  else if (data !== undefined) problems.push(`SendData must be true or false: keeping ${enabled}`);
  const interval = patch['SendInterval'];
  if (interval === null) {
    intervalMs = defaults.intervalMs;
  } else if (typeof interval === 'number' && interval > 0 && interval * 1_000 <= DELAY_MS_MAX) {
    intervalMs = interval * 1_000;
  } else if (interval !== undefined) {
    problems.push(`SendInterval must be a number of seconds: keeping ${intervalMs / 1_000}`);
  }
  return { enabled, intervalMs };
}

/** What the sensor reports after each patch. */
export function reportOf({ enabled, intervalMs }: Sending): object {
  return { SendData: enabled, SendInterval: intervalMs / 1_000 };
}
