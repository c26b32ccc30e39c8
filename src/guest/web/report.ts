/** "Report an exception" (HTML §8.1.4.6): to the listeners of the global object first, then the module ends. */
import { SEAM, type Seam } from '../seam.ts';

/** Never throws. */
export function reportException(error: unknown): void {
  const seam = (globalThis as unknown as { readonly [SEAM]?: Seam })[SEAM];
  if (seam !== undefined) {
    seam.uncaught(error, 'uncaughtException');
    return;
  }
  queueMicrotask(() => {
    throw error;
  });
}
