/** A log that remembers. */
import type { Log, LogFields } from '../../src/core/ports.ts';

export type LogEntry = {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
};

export function createFakeLog(): Log & { readonly entries: readonly LogEntry[] } {
  const entries: LogEntry[] = [];
  const at =
    (level: string) =>
    (message: string, fields: LogFields = {}): void => {
      entries.push({ level, message, fields });
    };
  return { entries, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
