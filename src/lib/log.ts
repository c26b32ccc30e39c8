/** JSON lines to a stream, one per event; journald does the rest. */
export type LogLevelName = 'debug' | 'info' | 'warn' | 'error';
type Fields = Readonly<Record<string, unknown>>;
type Write = (line: string, entry: LogEntry) => void;

/** A line before it becomes text; errors among its fields are plain already. */
type LogEntry = {
  readonly atMs: number;
  readonly level: LogLevelName;
  readonly message: string;
  readonly fields: Fields;
};

const order: readonly LogLevelName[] = ['debug', 'info', 'warn', 'error'];

/** A log that writes lines at or above `level`; errors among the fields become message, code and cause. */
export function createLog(
  level: LogLevelName,
  now: () => number,
  write: Write = (line) => void process.stdout.write(line),
): Record<LogLevelName, (message: string, fields?: Fields) => void> {
  const at =
    (name: LogLevelName) =>
    (message: string, fields: Fields = {}): void => {
      if (order.indexOf(name) < order.indexOf(level)) return;
      const atMs = now();
      const entry = { atMs, level: name, message, fields: plain(fields) };
      const time = new Date(atMs).toISOString();
      write(`${JSON.stringify({ time, level: name, message, ...entry.fields })}\n`, entry);
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

function plain(fields: Fields): Fields {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    result[name] = value instanceof Error ? describeError(value) : value;
  }
  return result;
}

function describeError(error: Error): Fields {
  const code = (error as { code?: unknown }).code;
  return {
    error: error.message,
    ...(code === undefined ? {} : { code }),
    ...(error.cause instanceof Error ? { cause: describeError(error.cause) } : {}),
  };
}
