/** Stands in for `node:assert`. */
declare const module: { exports: unknown };
declare const require: (path: string) => { readonly assert: unknown };

module.exports = require('./assert-core.ts').assert;
