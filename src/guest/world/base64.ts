/** `atob` and `btoa` (HTML §8.3), on V8's own base64, which forgives what they forgive. */
import { DOMException } from './dom-exception.ts';
import { textOfUnits } from './utf8.ts';
import { needArguments } from './webidl.ts';

/** V8 has it; the compiler's library does not know it yet. */
type WithBase64 = { fromBase64(text: string): Uint8Array };

export function atob(text: string): string {
  needArguments(arguments.length, 1, 'atob');
  const encoded = `${text}`;
  let bytes: Uint8Array;
  try {
    bytes = (Uint8Array as unknown as WithBase64).fromBase64(encoded);
  } catch {
    throw invalidCharacter('The string to be decoded is not correctly encoded.');
  }
  return textOfUnits(bytes);
}

export function btoa(text: string): string {
  needArguments(arguments.length, 1, 'btoa');
  const units = `${text}`;
  const bytes = new Uint8Array(units.length);
  for (let i = 0; i < units.length; i++) {
    const unit = units.charCodeAt(i);
    if (unit > 0xff)
      throw invalidCharacter('The string to be encoded has characters beyond Latin-1.');
    bytes[i] = unit;
  }
  return (bytes as unknown as { toBase64(): string }).toBase64();
}

function invalidCharacter(message: string): DOMException {
  return new DOMException(message, 'InvalidCharacterError');
}
