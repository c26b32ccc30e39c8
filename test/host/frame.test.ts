/** Frames survive any cut of the stream, and lies about lengths are caught. */
import fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { createFrameDecoder, encodeFrame, FrameError } from '../../src/host/frame.ts';

const test = suite('frame');

const frame = fc.record({
  kind: fc.integer({ min: 0, max: 255 }),
  handle: fc.nat(0xffff_ffff),
  json: fc.string({ unit: 'grapheme' }),
  bytes: fc.uint8Array({ maxLength: 300 }),
});

test('what was encoded is decoded, however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 100 })),
      (frames, cuts) => {
        const stream = Buffer.concat(
          frames.flatMap((one) => encodeFrame(one.kind, one.handle, one.json, one.bytes)),
        );
        const decoder = createFrameDecoder(1_000_000);
        const decoded: unknown[] = [];
        const sizes = [...cuts, stream.length];
        for (let at = 0, index = 0; at < stream.length; index++) {
          const end = at + (sizes[index] ?? stream.length);
          for (const { kind, handle, json, bytes } of decoder.push(stream.subarray(at, end))) {
            decoded.push({ kind, handle, json, bytes: new Uint8Array(bytes) });
          }
          at = end;
        }
        const wanted = frames.map((one) => ({ ...one, json: one.json.toWellFormed() }));
        assert.equal(
          decoded,
          wanted.map((one) => ({ ...one, bytes: new Uint8Array(one.bytes) })),
        );
      },
    ),
  );
});

test('random bytes never do more than throw a FrameError', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 })), (chunks) => {
      const decoder = createFrameDecoder(256);
      try {
        for (const chunk of chunks) decoder.push(Buffer.from(chunk));
      } catch (cause) {
        assert.instance(cause, FrameError);
      }
    }),
  );
});

test('a frame larger than allowed is refused at its first bytes', () => {
  const [head] = encodeFrame(1, 1, 'x'.repeat(1_000));
  const decoder = createFrameDecoder(100);
  assert.throws(() => decoder.push(Buffer.from(head as Uint8Array).subarray(0, 4)), /1009 bytes/);
});

test.run();
