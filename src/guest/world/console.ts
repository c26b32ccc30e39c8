/** `console`: each call is one line for the runtime's log, formatted here and cut at a length. */
import type { LogLevel } from '../../core/guest-protocol.ts';
import { LINE_MAX } from '../limits.ts';
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
  const at =
    (level: LogLevel) =>
    (...values: unknown[]): void =>
      line(level, format(...values));

  function sinceStart(label: string): string | undefined {
    const since = started.get(label);
    if (since === undefined) line('warn', `No such label '${label}' for console.time()`);
    return since === undefined ? undefined : `${label}: ${(elapsed() - since).toFixed(3)}ms`;
  }

  const console = {
    debug: at('debug'),
    info: at('info'),
    log: at('info'),
    warn: at('warn'),
    error: at('error'),
    trace: function traced(this: void, ...values: unknown[]): void {
      const error = new Error(format(...values));
      error.name = 'Trace';
      Error.captureStackTrace(error, traced);
      line('debug', error.stack ?? error.message);
    },
    dir: (value: unknown, options?: InspectOptions): void => line('info', inspect(value, options)),
    table: at('info'),
    assert(condition: unknown, ...values: unknown[]): void {
      if (condition) return;
      const [first, ...rest] = values;
      if (values.length === 0) line('error', 'Assertion failed');
      else if (typeof first === 'string')
        line('error', format(`Assertion failed: ${first}`, ...rest));
      else line('error', format('Assertion failed:', ...values));
    },
    count(label = 'default'): void {
      const count = (counts.get(label) ?? 0) + 1;
      counts.set(label, count);
      line('info', `${label}: ${count}`);
    },
    countReset: (label = 'default'): void => void counts.delete(label),
    group(...values: unknown[]): void {
      if (values.length > 0) line('info', format(...values));
      indent += '  ';
    },
    groupCollapsed: (...values: unknown[]): void => console.group(...values),
    groupEnd(): void {
      indent = indent.slice(2);
    },
    time: (label = 'default'): void => void started.set(label, elapsed()),
    timeLog(label = 'default', ...values: unknown[]): void {
      const text = sinceStart(label);
      if (text !== undefined) line('info', format('%s', text, ...values));
    },
    timeEnd(label = 'default'): void {
      const text = sinceStart(label);
      if (text !== undefined) line('info', text);
      started.delete(label);
    },
  };
  return console;
}
