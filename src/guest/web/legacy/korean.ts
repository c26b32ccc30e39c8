/** EUC-KR with what windows-949 adds to it (Encoding standard §14). */
import { eucKr } from './index-euc-kr.ts';
import {
  END,
  type Handler,
  indexOf,
  isAscii,
  multibyte,
  type Reader,
  within,
} from './multibyte.ts';

const index = indexOf(eucKr);

function handler({ emit, fail }: Reader): Handler {
  let lead = 0;
  return (byte) => {
    const before = lead;
    lead = 0;
    if (byte === END) {
      if (before !== 0) fail();
    } else if (before !== 0) {
      const found = within(byte, 0x41, 0xfe)
        ? index((before - 0x81) * 190 + byte - 0x41)
        : undefined;
      if (found !== undefined) emit(found);
      else if (isAscii(byte)) fail(byte);
      else fail();
    } else if (isAscii(byte)) emit(byte);
    else if (within(byte, 0x81, 0xfe)) lead = byte;
    else fail();
  };
}

export const korean = [
  {
    name: 'euc-kr',
    labels:
      'cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601 windows-949',
    createDecoder: multibyte(handler),
  },
];
