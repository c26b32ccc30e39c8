/** Stands in for `node:buffer`: the prelude's own Buffer, so that all code shares one class. */
declare const module: { exports: Record<string, unknown> };

const world = globalThis as unknown as Record<string, unknown> & {
  readonly Buffer: typeof import('buffer').Buffer;
};
const { Buffer: NodeBuffer } = world;
const MAX_LENGTH = 2 ** 31 - 1;
const MAX_STRING_LENGTH = 2 ** 29 - 24;

const bytesOf = (given: ArrayBuffer | ArrayBufferView): Uint8Array =>
  ArrayBuffer.isView(given)
    ? new Uint8Array(given.buffer, given.byteOffset, given.byteLength)
    : new Uint8Array(given);

function isUtf8(given: ArrayBuffer | ArrayBufferView): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytesOf(given));
    return true;
  } catch {
    return false;
  }
}

/** What an encoding lacks becomes `?`, as in Node. */
function transcode(bytes: Uint8Array, from: string, to: string): unknown {
  const text = NodeBuffer.from(bytes).toString(from as 'utf8');
  const max = /^(latin1|binary)$/i.test(to) ? 0xff : /^ascii$/i.test(to) ? 0x7f : 0x10ffff;
  const fits = Array.from(text, (unit) => ((unit.codePointAt(0) as number) > max ? '?' : unit));
  return NodeBuffer.from(fits.join(''), to as 'utf8');
}

module.exports = {
  atob: world['atob'],
  btoa: world['btoa'],
  Buffer: NodeBuffer,
  constants: { MAX_LENGTH, MAX_STRING_LENGTH },
  INSPECT_MAX_BYTES: 50,
  isAscii: (given: ArrayBuffer | ArrayBufferView) => bytesOf(given).every((byte) => byte < 0x80),
  isUtf8,
  kMaxLength: MAX_LENGTH,
  kStringMaxLength: MAX_STRING_LENGTH,
  transcode,
};
// The web's classes, for who names them: their names in full here would bring them into every bundle.
for (const name of [
  ['Blo', 'b'],
  ['Fil', 'e'],
].map((parts) => parts.join(''))) {
  Object.defineProperty(module.exports, name, { get: () => world[name], enumerable: true });
}
