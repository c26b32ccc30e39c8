/** The console of a module on the terminal: all of it, as fast as whoever reads takes it. */
import type { LogLevel } from '../../src/core/guest-protocol.ts';

export type Terminal = {
  /** One line of the module's console. */
  line(level: LogLevel, text: string): void;
  /** What we have to say, on stderr. */
  problem(text: string): void;
  /** Settles when what was written has been taken; undefined when there is no need to wait. */
  relief(): Promise<void> | undefined;
  /** When all has been written. */
  flushed(): Promise<void>;
};

const FULL_BYTES = 1_048_576;

export function createTerminal(): Terminal {
  const { stdout, stderr } = process;
  let out = '';
  let err = '';

  /** Lines are put together, for each write is a call of the kernel; the two streams keep their order. */
  function flush(): void {
    if (out !== '') stdout.write(out);
    if (err !== '') stderr.write(err);
    out = err = '';
  }

  const drained = (stream: NodeJS.WriteStream): Promise<void> =>
    new Promise((resolve) => stream.write('', () => resolve()));

  return {
    line(level, text) {
      const isError = level === 'warn' || level === 'error';
      if (isError ? out !== '' : err !== '') flush();
      if (isError) err += `${text}\n`;
      else out += `${text}\n`;
      if (out.length + err.length > FULL_BYTES) flush();
    },
    problem(text) {
      flush();
      if (text !== '') stderr.write(`${text}\n`);
    },
    relief() {
      flush();
      if (stdout.writableLength < FULL_BYTES && stderr.writableLength < FULL_BYTES)
        return undefined;
      return Promise.all([drained(stdout), drained(stderr)]).then(() => {});
    },
    async flushed() {
      flush();
      await Promise.all([drained(stdout), drained(stderr)]);
    },
  };
}
