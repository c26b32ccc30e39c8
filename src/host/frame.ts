/**
 * The frames on the pipe between supervisor and module host: a pure codec, used on both sides.
 *
 *   u32 length of the rest · u8 kind · u32 module handle · u32 JSON length · JSON (UTF-8) · raw bytes
 *
 * All numbers are little-endian. Lengths are checked before anything is kept, so a peer that lies
 * costs no more memory than one frame may.
 */
export type Frame = {
  readonly kind: number;
  /** The module meant; 0 = the host itself. */
  readonly handle: number;
  readonly json: string;
  /** Lies in the chunk it came in: copy what you keep. */
  readonly bytes: Buffer;
};

const LENGTH_BYTES = 4;
const HEADER_BYTES = 13;

/** The peer does not speak our frames. Whoever reads must stop reading from it. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** One frame as the buffers to write, in order; `bytes` itself is not copied. */
export function encodeFrame(
  kind: number,
  handle: number,
  json: string,
  bytes?: Uint8Array,
): readonly Uint8Array[] {
  const jsonBytes = Buffer.byteLength(json);
  const head = Buffer.allocUnsafe(HEADER_BYTES + jsonBytes);
  head.writeUInt32LE(HEADER_BYTES - LENGTH_BYTES + jsonBytes + (bytes?.byteLength ?? 0), 0);
  head.writeUInt8(kind, 4);
  head.writeUInt32LE(handle, 5);
  head.writeUInt32LE(jsonBytes, 9);
  head.write(json, HEADER_BYTES, 'utf8');
  return bytes === undefined || bytes.byteLength === 0 ? [head] : [head, bytes];
}

/** Takes chunks as they come and gives the frames that are whole. */
export type FrameDecoder = {
  /** Throws FrameError when the peer breaks the format; use the decoder no more. */
  push(chunk: Buffer): readonly Frame[];
};

/** @param frameBytesMax largest length a frame may announce. */
export function createFrameDecoder(frameBytesMax: number): FrameDecoder {
  // Chunks are joined once per frame, not once per chunk: a large frame arrives in hundreds.
  let waiting: Buffer[] = [];
  let waitingBytes = 0;
  let neededBytes = LENGTH_BYTES;

  return {
    push(chunk) {
      waiting.push(chunk);
      waitingBytes += chunk.length;
      if (waitingBytes < neededBytes) return [];
      const data = waiting.length === 1 ? chunk : Buffer.concat(waiting, waitingBytes);
      const frames: Frame[] = [];
      let at = 0;
      neededBytes = LENGTH_BYTES;
      while (data.length - at >= LENGTH_BYTES) {
        const length = data.readUInt32LE(at);
        if (length < HEADER_BYTES - LENGTH_BYTES || length > frameBytesMax) {
          throw new FrameError(`a frame announces ${length} bytes, of ${frameBytesMax} allowed`);
        }
        if (data.length - at < LENGTH_BYTES + length) {
          neededBytes = LENGTH_BYTES + length;
          break;
        }
        frames.push(readFrame(data.subarray(at, at + LENGTH_BYTES + length)));
        at += LENGTH_BYTES + length;
      }
      waiting = at === data.length ? [] : [data.subarray(at)];
      waitingBytes = data.length - at;
      return frames;
    },
  };
}

function readFrame(data: Buffer): Frame {
  const jsonBytes = data.readUInt32LE(9);
  if (jsonBytes > data.length - HEADER_BYTES) {
    throw new FrameError(`a frame of ${data.length} bytes announces ${jsonBytes} bytes of JSON`);
  }
  return {
    kind: data.readUInt8(4),
    handle: data.readUInt32LE(5),
    json: data.toString('utf8', HEADER_BYTES, HEADER_BYTES + jsonBytes),
    bytes: data.subarray(HEADER_BYTES + jsonBytes),
  };
}
