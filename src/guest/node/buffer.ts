/** Stands in for `node:buffer`: the prelude's own Buffer, so that all code shares one class. */
type WithBuffer = { readonly Buffer: typeof import('buffer').Buffer };

const { atob, btoa } = globalThis;
const { Buffer } = globalThis as unknown as WithBuffer;
const constants = { MAX_LENGTH: 2 ** 31 - 1, MAX_STRING_LENGTH: 2 ** 29 - 24 } as const;

export { atob, Buffer, btoa, constants };
// oxlint-disable-next-line import/no-default-export -- modules write `import buffer from`
export default { atob, Buffer, btoa, constants };
