/** The frame of MD5, SHA-1 and SHA-2: bytes are gathered to blocks, and the last is filled up with the length. */

export type BlockHash = {
  readonly blockBytes: number;
  update(bytes: Uint8Array): void;
  /** Ends it. */
  digest(): Uint8Array<ArrayBuffer>;
  copy(): BlockHash;
};

export type HashKind = {
  readonly blockBytes: 64 | 128;
  readonly digestBytes: number;
  /** MD5 writes its words the other way round. */
  readonly littleEndian: boolean;
  readonly start: () => Int32Array;
  /** Takes one block into the state. */
  readonly compress: (state: Int32Array, block: DataView, at: number) => void;
};

export function createBlockHash(kind: HashKind): BlockHash {
  return resume(kind, kind.start(), new Uint8Array(kind.blockBytes), 0, 0);
}

/** `kept` bytes of the block are waiting; `total` were given so far. */
function resume(
  kind: HashKind,
  state: Int32Array,
  block: Uint8Array<ArrayBuffer>,
  kept: number,
  total: number,
): BlockHash {
  const { blockBytes, digestBytes, littleEndian, compress } = kind;
  const own = new DataView(block.buffer);

  function update(bytes: Uint8Array): void {
    total += bytes.length;
    let at = 0;
    if (kept > 0) {
      at = Math.min(blockBytes - kept, bytes.length);
      block.set(bytes.subarray(0, at), kept);
      kept += at;
      if (kept < blockBytes) return;
      compress(state, own, 0);
    }
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (; at + blockBytes <= bytes.length; at += blockBytes) compress(state, view, at);
    block.set(bytes.subarray(at));
    kept = bytes.length - at;
  }

  return {
    blockBytes,
    update,
    digest() {
      const lengthBytes = blockBytes / 8;
      block.fill(0, kept);
      block[kept] = 0x80;
      if (kept + 1 + lengthBytes > blockBytes) {
        compress(state, own, 0);
        block.fill(0);
      }
      const low = (total << 3) >>> 0;
      const high = Math.floor(total / 2 ** 29);
      own.setUint32(blockBytes - (littleEndian ? 8 : 4), low, littleEndian);
      own.setUint32(blockBytes - (littleEndian ? 4 : 8), high, littleEndian);
      compress(state, own, 0);
      const out = new DataView(new ArrayBuffer(state.length * 4));
      for (let i = 0; i < state.length; i++) out.setInt32(i * 4, state[i] as number, littleEndian);
      return new Uint8Array(out.buffer.slice(0, digestBytes));
    },
    copy: () => resume(kind, state.slice(), block.slice(), kept, total),
  };
}
