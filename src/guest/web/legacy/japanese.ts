/** Shift_JIS, EUC-JP and ISO-2022-JP (Encoding standard §12 and §13). */
import { jis0208 } from './index-jis0208.ts';
import { jis0212 } from './index-jis0212.ts';
import { iso2022Jp } from './iso-2022-jp.ts';
import {
  END,
  type Handler,
  indexOf,
  isAscii,
  multibyte,
  type Reader,
  within,
} from './multibyte.ts';

const plain = indexOf(jis0208);
const more = indexOf(jis0212);
/** What half-width katakana begin with, and their first byte. */
const KATAKANA = 0xff61 - 0xa1;

function shiftJis({ emit, fail }: Reader): Handler {
  let lead = 0;
  return (byte) => {
    const before = lead;
    lead = 0;
    if (byte === END) {
      if (before !== 0) fail();
    } else if (before !== 0) {
      const trails = within(byte, 0x40, 0x7e) || within(byte, 0x80, 0xfc);
      const row = before - (before < 0xa0 ? 0x81 : 0xc1);
      const pointer = row * 188 + byte - (byte < 0x7f ? 0x40 : 0x41);
      // Characters of one's own have a place of their own.
      const own = within(pointer, 8836, 10_715) ? 0xe000 - 8836 + pointer : undefined;
      const found = trails ? (own ?? plain(pointer)) : undefined;
      if (found !== undefined) emit(found);
      else if (isAscii(byte)) fail(byte);
      else fail();
    } else if (byte <= 0x80) emit(byte);
    else if (within(byte, 0xa1, 0xdf)) emit(KATAKANA + byte);
    else if (within(byte, 0x81, 0x9f) || within(byte, 0xe0, 0xfc)) lead = byte;
    else fail();
  };
}

function eucJp({ emit, fail }: Reader): Handler {
  let lead = 0;
  let isMore = false;
  return (byte) => {
    const before = lead;
    lead = 0;
    if (byte === END) {
      if (before !== 0) fail();
    } else if (before === 0x8e && within(byte, 0xa1, 0xdf)) {
      emit(KATAKANA + byte);
    } else if (before === 0x8f && within(byte, 0xa1, 0xfe)) {
      isMore = true;
      lead = byte;
    } else if (before !== 0) {
      const index = isMore ? more : plain;
      isMore = false;
      const isPair = within(before, 0xa1, 0xfe) && within(byte, 0xa1, 0xfe);
      const found = isPair ? index((before - 0xa1) * 94 + byte - 0xa1) : undefined;
      if (found !== undefined) emit(found);
      else if (isAscii(byte)) fail(byte);
      else fail();
    } else if (isAscii(byte)) emit(byte);
    else if (byte === 0x8e || byte === 0x8f || within(byte, 0xa1, 0xfe)) lead = byte;
    else fail();
  };
}

export const japanese = [
  {
    name: 'shift_jis',
    labels: 'csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis',
    createDecoder: multibyte(shiftJis),
  },
  {
    name: 'euc-jp',
    labels: 'cseucpkdfmtjapanese euc-jp x-euc-jp',
    createDecoder: multibyte(eucJp),
  },
  {
    name: 'iso-2022-jp',
    labels: 'csiso2022jp iso-2022-jp',
    createDecoder: multibyte((reader) => iso2022Jp(reader, plain)),
  },
];
