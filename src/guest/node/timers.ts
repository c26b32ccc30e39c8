/** Stands in for `node:timers`. */
const { setTimeout, setInterval, setImmediate, clearTimeout, clearInterval, clearImmediate } =
  globalThis;

export { clearImmediate, clearInterval, clearTimeout, setImmediate, setInterval, setTimeout };
// oxlint-disable-next-line import/no-default-export -- modules write `import timers from`
export default {
  clearImmediate,
  clearInterval,
  clearTimeout,
  setImmediate,
  setInterval,
  setTimeout,
};
