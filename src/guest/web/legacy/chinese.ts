/** gb18030, and GBK, whose decoder is the same (Encoding standard §10). */
import { gb18030 } from './index-gb18030.ts';
import {
  END,
  type Handler,
  indexOf,
  isAscii,
  multibyte,
  type Reader,
  within,
} from './multibyte.ts';

/** Where code points begin anew among those of four bytes: how far on the pointer and the code point are (base 36). */
const RANGES =
  '0 3k,10 11,2 4,7 9,5 6,v w,8 a,6 9,1 3,4 6,3 4,1 3,1 2,4 5,h i,7 8,f g,o p,3 4,4 5,t u,2q 2r,1 2,1 2,1 2,1 2,1 2,1 2,1 2,s t,2f 2g,f g,2t 2u,1 4,d e,53 5k,1 8,7 o,1 8,1j 1k,e 26,1 2,5ha 5hb,2 6,1 3,2 4,7 9,9 a,1 3,1 2,5 6,34 35,2e 2f,1 2,3 4,c d,a b,1q 22,4 e,m q,2 6,32 33,6 7,1 2,3 4,4 5,2 6,2 3,1 2,1 6,2 3,5 9,5 6,a b,3 4,5 6,d f,2 6,6 8,11 12,3 4,b c,p q,2a 2b,99 9j,a 1e,2s 4w,4 14,d s,3 6,a c,g i,8 a,8 a,3 4,2 4,i m,v x,2 3,1i 1j,1 2,1mm 1mn,2 3,3 4,2 4,a b,f g,2 3,3 4,4 5,2 4,3 4,e f,85 8h,4 8,1 k,5 7,2 b,k l,2 2d,7 b,2 2g,5 8,6 17,6u 74,7 8,35 36,6i 6k,c f,2 3,y z,9 a,2 4,2 3,35 36,17 18,8a 8b,33 34,b c,l9 la,2d 2e,2o 2q,e f,43 44,62 63,7z 80,35 36,ol om,7c 7d,d3 d4,38 39,4 5,17 18,6w 6x,ad ae,k l,5d 5e,5 6,2a 2b,g h,c9 ca,1e 1f,2 3,4 6,1 3,k l,3 4,m o,jj jk,13 18,33 3a,44 45,29 g6v,b4q e6e,1 2k,1 v,d 1a,1 4,5 6,7 8,4 6,4 6,8 9,7 8,g i,e f,3bb 3bc,24 25,r s,29 2a,9 a,q u,1 2,1 3,3 4,6 9,1 3,2 5,sm so,1 j,4 e,1 5,1 f,1 5,45 6r,3l 3r';

const twoBytes = indexOf(gb18030);
let ranges: readonly (readonly [pointer: number, codePoint: number])[] | undefined;

function fourBytes(pointer: number): number | undefined {
  if ((pointer > 39_419 && pointer < 189_000) || pointer > 1_237_575) return undefined;
  if (pointer === 7457) return 0xe7c7;
  if (pointer >= 189_000) return pointer - 189_000 + 0x10000;
  ranges ??= readRanges();
  let [from, codePoint] = [0, 0x80];
  for (const [first, value] of ranges) {
    if (first > pointer) break;
    [from, codePoint] = [first, value];
  }
  return codePoint + pointer - from;
}

function readRanges(): readonly (readonly [number, number])[] {
  let [pointer, codePoint] = [0, 0];
  return RANGES.split(',').map((run) => {
    const [ahead = '', further = ''] = run.split(' ');
    pointer += Number.parseInt(ahead, 36);
    codePoint += Number.parseInt(further, 36);
    return [pointer, codePoint];
  });
}

function handler({ emit, fail }: Reader): Handler {
  let [first, second, third] = [0, 0, 0];
  return (byte) => {
    const [one, two, three] = [first, second, third];
    if (byte === END) {
      [first, second, third] = [0, 0, 0];
      if (one !== 0) fail();
    } else if (three !== 0) {
      [first, second, third] = [0, 0, 0];
      if (!within(byte, 0x30, 0x39)) return fail(two, three, byte);
      const found = fourBytes(
        (one - 0x81) * 12_600 + (two - 0x30) * 1260 + (three - 0x81) * 10 + byte - 0x30,
      );
      if (found === undefined) fail();
      else emit(found);
    } else if (two !== 0) {
      if (within(byte, 0x81, 0xfe)) {
        third = byte;
        return;
      }
      [first, second] = [0, 0];
      fail(two, byte);
    } else if (one !== 0) {
      if (within(byte, 0x30, 0x39)) {
        second = byte;
        return;
      }
      first = 0;
      const trails = within(byte, 0x40, 0x7e) || within(byte, 0x80, 0xfe);
      const pointer = (one - 0x81) * 190 + byte - (byte < 0x7f ? 0x40 : 0x41);
      const found = trails ? twoBytes(pointer) : undefined;
      if (found !== undefined) emit(found);
      else if (isAscii(byte)) fail(byte);
      else fail();
    } else if (isAscii(byte)) emit(byte);
    else if (byte === 0x80) emit(0x20ac);
    else if (byte === 0xff) fail();
    else first = byte;
  };
}

const createDecoder = multibyte(handler);

export const chinese = [
  {
    name: 'gbk',
    labels: 'chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk',
    createDecoder,
  },
  { name: 'gb18030', labels: 'gb18030', createDecoder },
];
