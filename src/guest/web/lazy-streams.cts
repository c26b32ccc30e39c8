/**
 * Streams for those who need them only now and then: the library is run when it is first asked for, so that a
 * module that fetches text does without.
 */
declare const module: { exports: unknown };
declare const require: (path: string) => unknown;

module.exports = () => require('./streams.ts');
