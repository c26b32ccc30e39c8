/** What Linux says about itself in /proc and /sys, read from text. What is not there is undefined. */

export type Load = { readonly one: number; readonly five: number; readonly fifteen: number };
export type Memory = { readonly totalBytes: number; readonly availableBytes: number };
export type Temperature = { readonly zone: string; readonly celsius: number };

/** `0.20 0.18 0.12 1/80 11206` */
export function parseLoad(text: string): Load | undefined {
  const [one, five, fifteen] = text.split(' ').map(Number);
  return isNumber(one) && isNumber(five) && isNumber(fifteen) ? { one, five, fifteen } : undefined;
}

/** Lines like `MemTotal:        1888160 kB` */
export function parseMemory(text: string): Memory | undefined {
  const bytes = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? NaN) * 1_024;
  const totalBytes = bytes('MemTotal');
  const availableBytes = bytes('MemAvailable');
  return isNumber(totalBytes) && isNumber(availableBytes)
    ? { totalBytes, availableBytes }
    : undefined;
}

/** `350735.47 234388.90`: since the start, and idle. */
export function parseUptime(text: string): number | undefined {
  const seconds = Number.parseFloat(text);
  return isNumber(seconds) ? seconds : undefined;
}

/** A thermal zone's `type` and its `temp`, in thousandths of a degree. */
export function parseTemperature(type: string, temp: string): Temperature | undefined {
  const zone = type.trim();
  const milli = temp.trim() === '' ? NaN : Number(temp);
  return zone !== '' && isNumber(milli) ? { zone, celsius: milli / 1_000 } : undefined;
}

function isNumber(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value);
}
