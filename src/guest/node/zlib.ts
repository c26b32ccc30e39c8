/** Stands in for `node:zlib`. */
export * from './zlib-parts.ts';
// oxlint-disable-next-line import/no-default-export -- modules write `import zlib from`
export * as default from './zlib-parts.ts';
