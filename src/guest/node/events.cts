/** Stands in for `node:events`: the prelude's own EventEmitter, so that all code shares one class. */
declare const module: { exports: unknown };
declare const require: (path: string) => Record<string, unknown>;

type WithEmitter = Readonly<Record<symbol, { readonly EventEmitter: object }>>;

const EventEmitter = (globalThis as unknown as WithEmitter)[Symbol.for('isolet.treaty.1')]
  ?.EventEmitter as object;
module.exports = Object.assign(EventEmitter, require('./event-tools.ts')['tools']);
