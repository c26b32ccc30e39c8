/** Stands in for `node:stream/promises`. */
declare const module: { exports: unknown };
declare const require: (path: string) => { readonly promises: unknown };

module.exports = require('isolet-package:readable-stream').promises;
