/**
 * Resizable ArrayBuffers, whose memory no limit of the isolate counts (spec/isolates.md §1.6): a module may have a
 * little of it. What they may grow to counts, from their making until they are collected.
 */

/** In all, bytes. */
const TOTAL_MAX = 2 * 1_048_576;
/** V8 gives each whole pages; a Pi 5 has pages of 16 KB. */
const PAGE = 16_384;

type Counted = {
  readonly __proto__: null;
  ref: WeakRef<ArrayBuffer>;
  readonly bytes: number;
  next: Counted | undefined;
};
type Resizable = ArrayBuffer & {
  readonly resizable: boolean;
  transfer(length?: number): ArrayBuffer;
};

export type ResizableBuffers = {
  /** Throws a RangeError when there is no room for it. */
  make(make: () => ArrayBuffer, maxByteLength: number): ArrayBuffer;
};

/** Call it at the boot: all it uses is taken then. */
export function createResizableBuffers(): ResizableBuffers {
  const Weak = WeakRef;
  const { ceil } = Math;
  const { apply } = Reflect;
  const { deref } = WeakRef.prototype;
  const { prototype } = ArrayBuffer as unknown as { readonly prototype: Resizable };
  const isResizable = Object.getOwnPropertyDescriptor(prototype, 'resizable')?.get as () => boolean;
  const { transfer } = prototype;
  let first: Counted | undefined;
  let total = 0;

  /** Forgets those that are gone. */
  function sweep(): void {
    let before: Counted | undefined;
    for (let one = first; one !== undefined; one = one.next) {
      if (apply(deref, one.ref, []) !== undefined) {
        before = one;
        continue;
      }
      total -= one.bytes;
      if (before === undefined) first = one.next;
      else before.next = one.next;
    }
  }

  // What a resizable one is moved to is resizable, too, and counts in its place.
  Object.defineProperty(prototype, 'transfer', {
    value: {
      transfer(this: ArrayBuffer, ...args: [length?: number]): ArrayBuffer {
        const counts = apply(isResizable, this, []) as boolean;
        const moved = apply(transfer, this, args) as ArrayBuffer;
        for (let one = first; counts && one !== undefined; one = one.next) {
          if (apply(deref, one.ref, []) === this) one.ref = new Weak(moved);
        }
        return moved;
      },
    }.transfer,
    writable: true,
    configurable: true,
  });

  return {
    make(make, maxByteLength) {
      if (maxByteLength < 0) throw new RangeError('The length of an ArrayBuffer is not negative');
      const bytes = (ceil(maxByteLength / PAGE) + 1) * PAGE;
      if (total + bytes > TOTAL_MAX) sweep();
      if (total + bytes > TOTAL_MAX) {
        throw new RangeError(
          `A module may have ${TOTAL_MAX} bytes of resizable ArrayBuffers: this one may grow to ${maxByteLength}`,
        );
      }
      // Before it is made: that runs code of the module, which may make others.
      total += bytes;
      let made: ArrayBuffer;
      try {
        made = make();
      } catch (error) {
        total -= bytes;
        throw error;
      }
      first = { __proto__: null, ref: new Weak(made), bytes, next: first };
      return made;
    },
  };
}
