/** Tells those who care that something of a device has changed: its identities, or a twin. */

export interface Changes {
  touched(device: string): void;
  watch(run: (device: string) => void): void;
}

export function createChanges(): Changes {
  const watchers: ((device: string) => void)[] = [];
  return {
    touched: (device) => watchers.forEach((run) => run(device)),
    watch: (run) => void watchers.push(run),
  };
}
