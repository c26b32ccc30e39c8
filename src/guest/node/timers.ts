/** Stands in for `node:timers`. */
import promises from './timers-promises.ts';

const { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate } =
  globalThis;

export { default as promises } from './timers-promises.ts';
export { clearImmediate, clearInterval, clearTimeout, setImmediate, setInterval, setTimeout };
// oxlint-disable-next-line import/no-default-export -- modules write `import timers from`
export default {
  clearImmediate,
  clearInterval,
  clearTimeout,
  promises,
  setImmediate,
  setInterval,
  setTimeout,
};
