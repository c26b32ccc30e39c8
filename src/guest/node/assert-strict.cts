/** Stands in for `node:assert/strict`. */
declare const module: { exports: unknown };
declare const require: (path: string) => { readonly strict: unknown };

module.exports = require('./assert-core.ts').strict;
