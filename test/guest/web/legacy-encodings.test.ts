/**
 * The multi-byte encodings of China, Japan and Korea: their algorithms are the standard's (Encoding §10, §12 to §14).
 * Node is the witness where its tables are the standard's, and fixed texts where they are not.
 */
import * as fc from 'fast-check';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { installersFor } from '../../../build/guest-globals.ts';
import { chinese } from '../../../src/guest/web/legacy/chinese.ts';
import { japanese } from '../../../src/guest/web/legacy/japanese.ts';
import { korean } from '../../../src/guest/web/legacy/korean.ts';
import { inGuest } from './in-guest.ts';

const test = suite('legacy encodings');

const encodings = [...chinese, ...japanese, ...korean];

function decode(name: string, bytes: readonly number[], pieces = 1, fatal = false): string {
  const encoding = encodings.find((each) => each.name === name);
  const decoder = encoding?.createDecoder(fatal, () => new TypeError('not valid'));
  const size = Math.ceil(bytes.length / pieces) || 1;
  let text = '';
  for (let at = 0; at < bytes.length; at += size) {
    text += decoder?.decode(Uint8Array.from(bytes.slice(at, at + size)), at + size >= bytes.length);
  }
  return text;
}

test('texts of each, whole and in single bytes', () => {
  const texts: readonly (readonly [name: string, bytes: number[], text: string])[] = [
    ['gbk', [0x61, 0xb0, 0xa1, 0x80, 0x7a], 'a啊€z'],
    ['gb18030', [0x81, 0x30, 0x81, 0x30, 0x81, 0x35, 0xf4, 0x37], '\u0080\ue7c7'],
    ['gb18030', [0x90, 0x30, 0x81, 0x30, 0xe3, 0x32, 0x9a, 0x35], '\u{10000}\u{10ffff}'],
    ['gb18030', [0xa6, 0xd9, 0xfe, 0x59, 0xa8, 0xbc], '\ufe10\u9fb4\u1e3f'],
    ['gb18030', [0x81, 0x35, 0xf4], '\ufffd'],
    ['gb18030', [0x81, 0x30, 0x20, 0x84, 0x32, 0xa4, 0x39, 0x7f], '\ufffd0 \ufffd\x7f'],
    ['gb18030', [0x81, 0x30, 0x81, 0x20, 0xff, 0x81, 0x7f], '\ufffd0\ufffd \ufffd\ufffd\x7f'],
    [
      'shift_jis',
      [0x88, 0x9f, 0xb1, 0x5c, 0x7e, 0x81, 0x60, 0xf0, 0x40, 0x80],
      '亜ｱ\\~～\ue000\x80',
    ],
    ['shift_jis', [0x87, 0x40, 0xfa, 0x40, 0x81, 0x20, 0xa0, 0x81], '①ⅰ\ufffd \ufffd\ufffd'],
    ['euc-jp', [0xb0, 0xa1, 0x8f, 0xb0, 0xa1, 0x8e, 0xb1, 0xa1, 0xc1], '亜丂ｱ～'],
    ['euc-jp', [0x8f, 0xa2, 0xb7, 0x8e, 0x41, 0xb0, 0x20, 0x8f, 0xb0], '～\ufffdA\ufffd \ufffd'],
    ['iso-2022-jp', [0x1b, 0x24, 0x42, 0x30, 0x21, 0x1b, 0x28, 0x4a, 0x5c, 0x7e], '亜¥‾'],
    ['iso-2022-jp', [0x1b, 0x28, 0x49, 0x31, 0x1b, 0x28, 0x42, 0x41, 0xff], 'ｱA\ufffd'],
    ['iso-2022-jp', [0x1b, 0x24, 0x42, 0x1b, 0x28, 0x42, 0x1b, 0x25, 0x41], '\ufffd\ufffd%A'],
    ['iso-2022-jp', [0x1b, 0x24, 0x40, 0x30, 0x1b, 0x28, 0x42, 0x1b, 0x24], '\ufffd\ufffd$'],
    ['euc-kr', [0xb0, 0xa1, 0x81, 0x41, 0xc6, 0x52, 0xc9, 0x41, 0x20], '가갂힣\ufffdA '],
  ];
  for (const [name, bytes, text] of texts) {
    assert.is(decode(name, bytes), text, `${name} ${text}`);
    assert.is(decode(name, bytes, bytes.length), text, `${name} in pieces`);
    if (text.includes('\ufffd')) assert.throws(() => decode(name, bytes, 1, true), /not valid/);
    else assert.is(decode(name, bytes, 1, true), text);
  }
});

test('any bytes of GBK and gb18030, in pieces, as Node decodes them', () => {
  const byte = fc.oneof(
    fc.integer({ min: 0x81, max: 0xfe }),
    fc.integer({ min: 0x30, max: 0x39 }),
    fc.integer({ min: 0, max: 255 }),
  );
  fc.assert(
    fc.property(
      fc.array(byte, { maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      (all, pieces) => {
        // What ICU makes of what is cut or wrong is not the standard's.
        const expected = new TextDecoder('gb18030').decode(Uint8Array.from(all));
        if (expected.includes('\ufffd')) return;
        assert.is(decode('gb18030', all, pieces), expected);
        assert.is(decode('gbk', all, pieces), expected);
      },
    ),
    { numRuns: 3000 },
  );
});

test('what the indexes hold: counts of the standard', () => {
  const count = (
    name: string,
    leads: readonly number[],
    before: readonly number[] = [],
  ): number => {
    let found = 0;
    for (const lead of leads) {
      for (let trail = 0x41; trail < 0xff; trail++) {
        if (!decode(name, [...before, lead, trail]).includes('\ufffd')) found++;
      }
    }
    return found;
  };
  const row = Array.from({ length: 94 }, (_, i) => 0xa1 + i);
  const leads = Array.from({ length: 126 }, (_, i) => 0x81 + i);
  assert.is(count('euc-kr', leads), 17_048);
  assert.is(count('gbk', leads), 23_940 - 126);
  assert.is(count('euc-jp', row, [0x8f]), 6067);
});

test('as a module names them, and only then', async () => {
  const told = await inGuest(() => {
    const names = ['GB2312', ' Shift_JIS\n', 'ks_c_5601-1987', 'EUC-JP', 'latin1'];
    const decoder = new TextDecoder('gbk', { fatal: true });
    const pieces = [[0xc4], [0xe3, 0xba], [0xc3]].map((bytes) =>
      decoder.decode(Uint8Array.from(bytes), { stream: true }),
    );
    let refused = '';
    try {
      decoder.decode(Uint8Array.from([0xc4]));
    } catch (error) {
      refused = (error as Error).name;
    }
    return [names.map((name) => new TextDecoder(name).encoding), pieces.join(''), refused];
  });
  assert.equal(told, [
    ['gbk', 'shift_jis', 'euc-kr', 'euc-jp', 'windows-1252'],
    '你好',
    'TypeError',
  ]);
  const installed = (code: string): string =>
    installersFor(code)
      .filter((file) => file.includes('legacy'))
      .join();
  assert.is(installed('new TextDecoder("utf-8"); const korean = 1;'), '');
  assert.is(installed('new TextDecoder("Shift-JIS")'), 'isolet:web/legacy/install-japanese.ts');
});

test.run();
