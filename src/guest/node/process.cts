/** Stands in for `node:process`. */
declare const module: { exports: unknown };

module.exports = (globalThis as unknown as { readonly process: unknown }).process;
