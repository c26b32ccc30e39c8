/** glibc keeps what was freed between what is still used, and has a call to give it back that Node lacks. */

/**
 * What gives the kernel the free pages of this process, all threads together, in some ms. It goes on working when
 * the right to `node:ffi` is given up. Undefined where that cannot be: another C library, or no right to it.
 */
export function takeTrim(): (() => void) | undefined {
  if (process.permission?.has('ffi') === false) return undefined;
  try {
    const ffi = process.getBuiltinModule('node:ffi');
    const { functions } = ffi.dlopen(null, {
      malloc_trim: { return: 'i32', arguments: ['u64'] },
    });
    return () => void functions.malloc_trim(0n);
  } catch {
    return undefined;
  }
}
