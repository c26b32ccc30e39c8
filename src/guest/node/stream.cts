/** Stands in for `node:stream`. */
declare const module: { exports: unknown };
declare const require: (path: string) => unknown;

module.exports = require('isolet-package:readable-stream');
