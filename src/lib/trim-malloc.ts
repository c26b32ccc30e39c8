/** glibc keeps what was freed between what is still used, and has a call to give it back that Node lacks. */

/**
 * Gives the kernel the free pages of this process, all threads together; takes some ms. False where that
 * cannot be: another C library, no `node:ffi`, or no right to it (a module host has none).
 */
export function trimMalloc(): boolean {
  if (process.permission?.has('ffi') === false) return false;
  try {
    const ffi = process.getBuiltinModule('node:ffi');
    const { functions } = ffi.dlopen(null, {
      malloc_trim: { return: 'i32', arguments: ['u64'] },
    });
    functions.malloc_trim(0n);
    return true;
  } catch {
    return false;
  }
}
