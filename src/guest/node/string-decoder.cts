/** Stands in for `node:string_decoder`. */
declare const module: { exports: unknown };
declare const require: (path: string) => unknown;

module.exports = require('isolet-package:string_decoder');
