/** ISO-2022-JP (Encoding standard §12.2): escapes tell which set of characters follows. */
import { END, type Handler, type Reader, within } from './multibyte.ts';

const ESCAPE = 0x1b;

type Set = 'ascii' | 'roman' | 'katakana' | 'lead';
type State = Set | 'trail' | 'escape start' | 'escape';

/** By the two bytes after the escape. */
const sets: Readonly<Record<number, Set>> = {
  0x2842: 'ascii',
  0x284a: 'roman',
  0x2849: 'katakana',
  0x2440: 'lead',
  0x2442: 'lead',
};

export function iso2022Jp(
  { emit, fail }: Reader,
  index: (pointer: number) => number | undefined,
): Handler {
  let state: State = 'ascii';
  let output: Set = 'ascii';
  let lead = 0;
  /** An escape was read, and nothing since: two in a row are an error. */
  let isFresh = false;

  function escaped(byte: number): void {
    const before = lead;
    lead = 0;
    const set = sets[(before << 8) | byte];
    if (set === undefined || byte === END) {
      isFresh = false;
      state = output;
      return fail(before, byte);
    }
    state = output = set;
    if (isFresh) fail();
    isFresh = true;
  }

  function plain(byte: number): number | undefined {
    if (output === 'katakana') return within(byte, 0x21, 0x5f) ? 0xff61 - 0x21 + byte : undefined;
    if (!within(byte, 0, 0x7f) || byte === 0x0e || byte === 0x0f) return undefined;
    if (output === 'roman' && byte === 0x5c) return 0xa5;
    return output === 'roman' && byte === 0x7e ? 0x203e : byte;
  }

  return (byte) => {
    if (state === 'escape') return escaped(byte);
    if (state === 'escape start') {
      if (byte === 0x24 || byte === 0x28) {
        lead = byte;
        state = 'escape';
        return undefined;
      }
      isFresh = false;
      state = output;
      return fail(byte);
    }
    if (state === 'trail') {
      state = 'lead';
      if (byte === ESCAPE) {
        state = 'escape start';
        return fail();
      }
      if (byte === END) return fail(byte);
      const found = within(byte, 0x21, 0x7e) ? index((lead - 0x21) * 94 + byte - 0x21) : undefined;
      return found === undefined ? fail() : emit(found);
    }
    if (byte === ESCAPE) {
      state = 'escape start';
      return undefined;
    }
    if (byte === END) return undefined;
    isFresh = false;
    if (state === 'lead') {
      if (!within(byte, 0x21, 0x7e)) return fail();
      lead = byte;
      state = 'trail';
      return undefined;
    }
    const found = plain(byte);
    return found === undefined ? fail() : emit(found);
  };
}
