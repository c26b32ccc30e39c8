/** `atob` and `btoa`, on V8's own base64. */

type WithBase64 = {
  fromBase64(text: string): Uint8Array;
};

export function atob(text: string): string {
  let bytes: Uint8Array;
  try {
    bytes = (Uint8Array as unknown as WithBase64).fromBase64(`${text}`);
  } catch {
    throw invalidCharacter('The string to be decoded is not correctly encoded.');
  }
  let result = '';
  for (const byte of bytes) result += String.fromCharCode(byte);
  return result;
}

export function btoa(text: string): string {
  const units = `${text}`;
  const bytes = new Uint8Array(units.length);
  for (let i = 0; i < units.length; i++) {
    const unit = units.charCodeAt(i);
    if (unit > 0xff) throw invalidCharacter('Invalid character');
    bytes[i] = unit;
  }
  return (bytes as unknown as { toBase64(): string }).toBase64();
}

function invalidCharacter(message: string): Error {
  const error = new Error(message);
  error.name = 'InvalidCharacterError';
  return Object.assign(error, { code: 5 });
}
