/** TextEncoder and TextDecoder: Node's answers for any bytes, cut anywhere. */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { singleByte } from '../../../src/guest/web/single-byte.ts';
import {
  ENCODINGS,
  TextDecoder as GuestDecoder,
  TextEncoder as GuestEncoder,
  type MoreEncodings,
} from '../../../src/guest/world/text-encoding.ts';
import { inGuest } from './in-guest.ts';

const test = suite('encoding');

(GuestDecoder as unknown as { [ENCODINGS]?: MoreEncodings })[ENCODINGS] = singleByte;

const names =
  'utf-8 utf-16le utf-16be ibm866 iso-8859-2 iso-8859-3 iso-8859-4 iso-8859-5 iso-8859-6 iso-8859-7 iso-8859-8 iso-8859-8-i iso-8859-10 iso-8859-13 iso-8859-14 iso-8859-15 iso-8859-16 koi8-r koi8-u macintosh windows-874 windows-1250 windows-1251 windows-1252 windows-1253 windows-1254 windows-1255 windows-1256 windows-1257 windows-1258 x-mac-cyrillic x-user-defined'.split(
    ' ',
  );

test('each byte of each single-byte encoding', () => {
  for (const name of names.filter((each) => !each.startsWith('utf-'))) {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const decoder = new GuestDecoder(name);
    assert.is(decoder.encoding, name);
    assert.is(decoder.decode(bytes), new TextDecoder(name).decode(bytes), name);
  }
});

test('other labels, in any case, between spaces', () => {
  const labels: readonly (readonly [string, string])[] = [
    ['UTF8', 'utf-8'],
    [' \t\n\f\rlatin1 ', 'windows-1252'],
    ['l2', 'iso-8859-2'],
    ['visual', 'iso-8859-8'],
    ['logical', 'iso-8859-8-i'],
    ['Unicode', 'utf-16le'],
    ['unicodeFFFE', 'utf-16be'],
    ['tis-620', 'windows-874'],
    ['L5', 'windows-1254'],
  ];
  for (const [label, name] of labels) assert.is(new GuestDecoder(label).encoding, name);
  for (const label of [
    '',
    'utf-7',
    '\u00a0utf-8',
    '\vutf-8',
    'replacement',
    '\u212aoi8-r',
    'gbk',
  ]) {
    assert.throws(
      () => new GuestDecoder(label),
      (error: Error) => error instanceof RangeError,
    );
  }
});

/** Bytes of text and of no text: the beginnings and ends of characters. */
const telling = Buffer.from('efbbbffeffd8dce282acf09f9880eda0c0e0f4904100', 'hex');
const bytes = fc.array(fc.oneof(fc.constantFrom(...telling), fc.nat(255)), { maxLength: 24 });

test('any bytes, in pieces, as Node decodes them', () => {
  const options = { fatal: fc.boolean(), ignoreBOM: fc.boolean() };
  const name = fc.constantFrom('utf-8', 'utf-16le', 'utf-16be', ...names);
  fc.assert(
    fc.property(name, fc.record(options), fc.array(bytes, { maxLength: 4 }), (label, how, list) => {
      const [guest, node] = [GuestDecoder, TextDecoder].map((Class) => {
        const decoder = new Class(label, how);
        try {
          const texts = list.map((piece) =>
            decoder.decode(Uint8Array.from(piece), { stream: true }),
          );
          // Which piece an error belongs to may differ; the text as a whole may not.
          return [texts.join('') + decoder.decode(), decoder.decode(Uint8Array.from([0x41, 0]))];
        } catch (error) {
          return (error as Error).name;
        }
      });
      assert.equal(guest, node);
    }),
    { numRuns: 5000 },
  );
});

test('any text, as Node encodes it', () => {
  const unit = fc.constantFrom('a', 'é', '€', '😀', '\ud800', '\udc00', '\0');
  fc.assert(
    fc.property(fc.string({ unit }), fc.nat(12), (text, room) => {
      assert.equal([...new GuestEncoder().encode(text)], [...new TextEncoder().encode(text)]);
      const [mine, nodes] = [new Uint8Array(room), new Uint8Array(room)];
      assert.equal(
        new GuestEncoder().encodeInto(text, mine),
        new TextEncoder().encodeInto(text, nodes),
      );
      assert.equal([...mine], [...nodes]);
    }),
    { numRuns: 1000 },
  );
});

test('as any module sees them', async () => {
  const answers = await inGuest(() => {
    const errors = [
      () => new TextDecoder('nonsense'),
      () => new TextDecoder('utf-8', 5 as never),
      () => new TextDecoder().decode('text' as never),
      () => new TextDecoder().decode(null as never),
      () => new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.of(0xff)),
      () => new TextEncoder().encodeInto('a', [] as never),
      () => Reflect.get(TextEncoder.prototype, 'encoding', {}) as unknown,
      () => Reflect.get(TextDecoder.prototype, 'fatal', {}) as unknown,
    ].map((run) => {
      try {
        return run();
      } catch (error) {
        return (error as Error).name;
      }
    });
    const decoder = new TextDecoder('windows-1251');
    return {
      errors,
      text: decoder.decode(Uint8Array.of(0xcf, 0xf0, 0xe8)),
      lengths: [TextDecoder.length, TextEncoder.length, decoder.decode.length],
      own: Object.keys(decoder).length,
      keys: [Object.keys(TextDecoder.prototype).join(), Object.keys(TextEncoder.prototype).join()],
      tags: [String(decoder), String(new TextEncoder())],
    };
  });
  assert.equal(answers, {
    errors: ['RangeError', ...(Array(7).fill('TypeError') as string[])],
    text: 'При',
    lengths: [0, 0, 0],
    own: 0,
    keys: ['encoding,fatal,ignoreBOM,decode', 'encoding,encode,encodeInto'],
    tags: ['[object TextDecoder]', '[object TextEncoder]'],
  });
});

test.run();
