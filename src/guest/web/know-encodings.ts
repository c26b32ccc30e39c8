/** Tells TextDecoder of encodings it does not have by itself. */
import type { MoreEncodings } from '../world/text-encoding.ts';

/** Those that were told before stay. It needs nothing of this file: the installers run in any order. */
export function knowEncodings(find: MoreEncodings): void {
  // As in world/text-encoding.ts, which is in every isolate and need not be in the bundle, too.
  const key = Symbol.for('isolet.encodings');
  const others = (TextDecoder as unknown as Record<symbol, MoreEncodings | undefined>)[key];
  const value: MoreEncodings = (label) => find(label) ?? others?.(label);
  Object.defineProperty(TextDecoder, key, { value, configurable: true });
}
