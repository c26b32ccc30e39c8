/** What must not outlive a benchmark: its processes and folders. */

const leftovers: (() => void)[] = [];

process.on('exit', () => {
  // The last made goes first: a process before the folder it works in.
  for (const clear of leftovers.reverse()) clear();
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

export function atExit(clear: () => void): void {
  leftovers.push(clear);
}
