/** Stands in for `node:events`: the prelude's own EventEmitter, so that all code shares one class. */
declare const module: { exports: unknown };

type WithEmitter = Readonly<Record<symbol, { readonly EventEmitter: unknown }>>;

module.exports = (globalThis as unknown as WithEmitter)[
  Symbol.for('isolet.treaty.1')
]?.EventEmitter;
