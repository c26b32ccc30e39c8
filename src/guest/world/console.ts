/** `console`: each call is one line for the runtime's log, formatted here and cut at a length. */
import type { LogLevel } from '../../core/guest-protocol.ts';
import { LINE_MAX } from '../limits.ts';
import { tableOf } from './console-table.ts';
import { format } from './format.ts';
import { type InspectOptions, inspect } from './inspect.ts';

/** `elapsed` is in ms, for `console.time`. */
export function createConsole(
  write: (level: LogLevel, text: string) => void,
  elapsed: () => number,
  lineMax: () => number | undefined = () => undefined,
): object {
  const counts = new Map<string, number>();
  const started = new Map<string, number>();
  let indent = '';

  function line(level: LogLevel, text: string): void {
    let whole = indent === '' ? text : `${indent}${text.replaceAll('\n', `\n${indent}`)}`;
    const most = lineMax() ?? LINE_MAX;
    if (whole.length > most) {
      whole = `${whole.slice(0, most)}… (${whole.length - most} more characters)`;
    }
    write(level, whole);
  }
  function sinceStart(label: string): string | undefined {
    const since = started.get(label);
    if (since === undefined) line('warn', `No such label '${label}' for console.time()`);
    return since === undefined ? undefined : `${label}: ${(elapsed() - since).toFixed(3)}ms`;
  }

  /** A namespace (Console standard §1), so none of its functions can be called with `new`. */
  const console = {
    debug: (...values: unknown[]): void => line('debug', format(...values)),
    info: (...values: unknown[]): void => line('info', format(...values)),
    log: (...values: unknown[]): void => line('info', format(...values)),
    warn: (...values: unknown[]): void => line('warn', format(...values)),
    error: (...values: unknown[]): void => line('error', format(...values)),
    trace(...values: unknown[]): void {
      const error = new Error(format(...values));
      error.name = 'Trace';
      Error.captureStackTrace(error, console.trace);
      line('debug', error.stack ?? error.message);
    },
    dir: (value: unknown, options?: InspectOptions): void => line('info', inspect(value, options)),
    dirxml: (...values: unknown[]): void => line('info', format(...values)),
    table: (data: unknown, properties?: unknown): void =>
      line('info', tableOf(data, properties) ?? format(data)),
    /** A log has no screen. */
    clear(): void {
      indent = '';
    },
    assert(condition: unknown, ...values: unknown[]): void {
      if (condition) return;
      const [first, ...rest] = values;
      if (values.length === 0) line('error', 'Assertion failed');
      else if (typeof first === 'string')
        line('error', format(`Assertion failed: ${first}`, ...rest));
      else line('error', format('Assertion failed:', ...values));
    },
    count(label: unknown = 'default'): void {
      const name = `${label as string}`;
      const count = (counts.get(name) ?? 0) + 1;
      counts.set(name, count);
      line('info', `${name}: ${count}`);
    },
    countReset(label: unknown = 'default'): void {
      const name = `${label as string}`;
      if (!counts.delete(name)) line('warn', `Count for '${name}' does not exist`);
    },
    group(...values: unknown[]): void {
      if (values.length > 0) line('info', format(...values));
      indent += '  ';
    },
    groupCollapsed: (...values: unknown[]): void => console.group(...values),
    groupEnd(): void {
      indent = indent.slice(2);
    },
    time(label: unknown = 'default'): void {
      const name = `${label as string}`;
      if (started.has(name)) line('warn', `Label '${name}' already exists for console.time()`);
      else started.set(name, elapsed());
    },
    timeLog(label: unknown = 'default', ...values: unknown[]): void {
      const text = sinceStart(`${label as string}`);
      if (text !== undefined) line('info', format('%s', text, ...values));
    },
    timeEnd(label: unknown = 'default'): void {
      const name = `${label as string}`;
      const text = sinceStart(name);
      if (text !== undefined) line('info', text);
      started.delete(name);
    },
  };
  Object.setPrototypeOf(console, {});
  Object.defineProperty(console, Symbol.toStringTag, { value: 'console', configurable: true });
  return console;
}
