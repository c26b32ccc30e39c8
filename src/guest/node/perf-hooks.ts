/** Stands in for `node:perf_hooks`: the clock. What measures Node's own loop is not there. */
const clock = performance;

export { clock as performance };
// oxlint-disable-next-line import/no-default-export -- modules write `import hooks from`
export default { performance: clock };
