/** Bits into bytes, the first bit lowest (RFC 1951 §3.1.1). */

export type BitWriter = {
  /** Up to 16 bits. */
  put(value: number, bits: number): void;
  /** From the next whole byte on. */
  bytes(bytes: Uint8Array): void;
  finish(): Uint8Array<ArrayBuffer>;
};

export function createBitWriter(expectedBytes: number): BitWriter {
  let out = new Uint8Array(expectedBytes + 64);
  let length = 0;
  let held = 0;
  let heldBits = 0;

  function room(more: number): void {
    if (length + more <= out.length) return;
    const larger = new Uint8Array(Math.max(length + more, out.length * 2));
    larger.set(out.subarray(0, length));
    out = larger;
  }

  function align(): void {
    room(1);
    if (heldBits > 0) out[length++] = held;
    held = heldBits = 0;
  }

  return {
    put(value, bits) {
      held |= value << heldBits;
      heldBits += bits;
      if (heldBits < 8) return;
      room(4);
      for (; heldBits >= 8; heldBits -= 8) {
        out[length++] = held;
        held >>>= 8;
      }
    },
    bytes(bytes) {
      align();
      room(bytes.length);
      out.set(bytes, length);
      length += bytes.length;
    },
    finish() {
      align();
      return out.subarray(0, length);
    },
  };
}
