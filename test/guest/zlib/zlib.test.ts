/** DEFLATE of our own against Node's, each way, for any bytes; and what it says of broken data. */
import zlib from 'node:zlib';
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { adler32, crc32 } from '../../../src/guest/zlib/checksums.ts';
import { type Format, pack, unpack } from '../../../src/guest/zlib/formats.ts';

const test = suite('zlib');

const MAX = 1 << 24;
const formats = ['gzip', 'deflate', 'deflate-raw'] as const;
const packers = {
  gzip: zlib.gzipSync,
  deflate: zlib.deflateSync,
  'deflate-raw': zlib.deflateRawSync,
};
const unpackers = {
  gzip: zlib.gunzipSync,
  deflate: zlib.inflateSync,
  'deflate-raw': zlib.inflateRawSync,
};

/** With repetitions near and far, as real data has. */
const data = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 40 }),
      fc
        .constantFrom('{"temperature":21.5}', 'aaaaaaaaaaaaaaaa', '\0\0\0\0', 'humidity')
        .map((text) => Buffer.from(text)),
      fc
        .tuple(fc.nat({ max: 255 }), fc.nat({ max: 2000 }))
        .map(([byte, count]) => Buffer.alloc(count, byte)),
    ),
    { maxLength: 60 },
  )
  .map((parts) => Buffer.concat(parts));

const equal = (found: Uint8Array, expected: Uint8Array): void =>
  assert.ok(Buffer.compare(found, expected) === 0, `${found.length} bytes, not ${expected.length}`);

test('what is packed here Node unpacks', () => {
  fc.assert(
    fc.property(
      data,
      fc.constantFrom(...formats),
      fc.integer({ min: -1, max: 9 }),
      (bytes, format, level) => {
        equal(unpackers[format](pack(format, bytes, level)), bytes);
      },
    ),
  );
});

test('what Node packed is unpacked here', () => {
  const strategies = [
    zlib.constants.Z_DEFAULT_STRATEGY,
    zlib.constants.Z_FIXED,
    zlib.constants.Z_HUFFMAN_ONLY,
    zlib.constants.Z_RLE,
  ];
  fc.assert(
    fc.property(
      data,
      fc.constantFrom(...formats),
      fc.integer({ min: 0, max: 9 }),
      fc.constantFrom(...strategies),
      (bytes, format, level, strategy) => {
        equal(unpack(format, packers[format](bytes, { level, strategy }), MAX), bytes);
      },
    ),
  );
});

test('much data, both ways', () => {
  const text = Buffer.from(
    Array.from({ length: 40_000 }, (_, i) => `line ${i * i} of ${i % 7}\n`).join(''),
  );
  const noise = Buffer.from(
    Uint8Array.from({ length: 300_000 }, (_, i) => (i * 2_654_435_761) >>> 13),
  );
  for (const bytes of [text, noise, Buffer.alloc(1 << 20), Buffer.concat([noise, text])]) {
    for (const level of [0, 1, 6]) {
      const packed = pack('gzip', bytes, level);
      equal(zlib.gunzipSync(packed), bytes);
      equal(unpack('gzip', packed, MAX), bytes);
      // Not much worse than the original.
      const theirs = zlib.gzipSync(bytes, { level }).length;
      assert.ok(packed.length <= theirs * 1.12 + 64, `${level}: ${packed.length}, not ${theirs}`);
    }
    equal(unpack('gzip', zlib.gzipSync(bytes, { level: 9 }), MAX), bytes);
  }
});

test('checksums', () => {
  fc.assert(
    fc.property(data, (bytes) => {
      assert.is(crc32(bytes), zlib.crc32(bytes));
      assert.is(
        adler32(bytes),
        zlib.deflateSync(bytes).readUInt32BE(zlib.deflateSync(bytes).length - 4),
      );
    }),
  );
});

test('a gzip with a name, a comment, more members, and something behind', () => {
  const plain = zlib.gzipSync('two');
  const named = Buffer.concat([
    Buffer.from([0x1f, 0x8b, 8, 0b11110, 0, 0, 0, 0, 0, 3, 2, 0, 9, 9]),
    Buffer.from('name\0and comment\0'),
    Buffer.from([1, 2]),
    zlib.gzipSync('one').subarray(10),
  ]);
  assert.is(Buffer.from(unpack('gzip', Buffer.concat([named, plain]), MAX)).toString(), 'onetwo');
  assert.is(
    Buffer.from(unpack('gzip', Buffer.concat([plain, Buffer.from('rest')]), MAX)).toString(),
    'two',
  );
});

function refusal(run: () => unknown): string {
  try {
    run();
    return 'taken';
  } catch (error) {
    return `${(error as NodeJS.ErrnoException).code} ${(error as Error).message}`;
  }
}

test('broken data is refused in the words of zlib', () => {
  const packed: Readonly<Record<Format, Buffer>> = {
    gzip: zlib.gzipSync('It is 21.5 degrees, It is 21.5 degrees.'),
    deflate: zlib.deflateSync('It is 21.5 degrees, It is 21.5 degrees.'),
    'deflate-raw': zlib.deflateRawSync('It is 21.5 degrees, It is 21.5 degrees.'),
  };
  for (const format of formats) {
    for (let end = 0; end < packed[format].length; end++) {
      const cut = packed[format].subarray(0, end);
      assert.is(
        refusal(() => unpack(format, cut, MAX)),
        refusal(() => unpackers[format](cut)),
        `${format} ${end}`,
      );
    }
  }
  fc.assert(
    fc.property(
      fc.constantFrom(...formats),
      fc.nat(),
      fc.integer({ min: 1, max: 255 }),
      (format, at, change) => {
        const bytes = Buffer.from(packed[format]);
        const index = at % bytes.length;
        bytes[index] = (bytes[index] as number) ^ change;
        const ours = refusal(() => unpack(format, bytes, MAX));
        const theirs = refusal(() => unpackers[format](bytes));
        // With two things wrong it may be the other that is told.
        assert.is(
          ours.split(' ')[0],
          theirs.split(' ')[0],
          `${format} ${index} ${change}: ${ours}, not ${theirs}`,
        );
      },
    ),
  );
});

test('any bytes at all end in a result or an error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const ours = refusal(() => unpack('deflate-raw', bytes, MAX));
      const theirs = refusal(() => zlib.inflateRawSync(bytes));
      assert.is(ours.split(' ')[0], theirs.split(' ')[0], `${ours}, not ${theirs}`);
    }),
    { numRuns: 2000 },
  );
});

test('a few bytes that become too many are refused', () => {
  const bomb = zlib.gzipSync(Buffer.alloc(10_000_000));
  assert.is(
    refusal(() => unpack('gzip', bomb, 100_000)),
    'ERR_BUFFER_TOO_LARGE Cannot create a Buffer larger than 100000 bytes',
  );
  assert.is(unpack('gzip', bomb, 10_000_000).length, 10_000_000);
  assert.match(
    refusal(() => unpack('gzip', Buffer.concat([bomb, bomb]), 15_000_000)),
    'ERR_BUFFER_TOO_LARGE',
  );
});

test.run();
