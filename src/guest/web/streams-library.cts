/**
 * The streams' library, run when it is first asked for: a module that fetches text does without. It must be
 * CommonJS for that, and so must be what asks for it.
 */
declare const module: { exports: unknown };
declare const require: (path: string) => unknown;

module.exports = () => require('web-streams-polyfill/dist/ponyfill.js');
