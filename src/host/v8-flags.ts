/** How V8 is set up wherever an isolate lives; a snapshot is made with the same flags it is used with. */

/** Each with its reason in spec/isolates.md §8. */
export const V8_FLAGS: readonly string[] = [
  '--no-node-snapshot', // isolated-vm requires it
  '--no-maglev', // 2 to 3 MB less
  '--expose-gc', // to collect modules at rest; no guest ever sees it
  '--wasm-max-mem-pages=256', // no heap limit counts a WebAssembly.Memory
  '--max-semi-space-size=4', // with 1 it collects all through its start, 10 ms of it
];

/** For hosts alone: a snapshot made so would lose the code it is made for. */
export const FORGETTING_FLAGS: readonly string[] = [
  // What was not run between two collections is compiled again when it is next called: the start's code goes.
  '--bytecode-old-age=1',
  '--flush-baseline-code',
];
