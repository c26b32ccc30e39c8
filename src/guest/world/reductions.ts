/**
 * Takes away what an isolate's memory limit does not count: WebAssembly, shared memory and resizable
 * buffers (spec/isolates.md §1.6). The process limit is the fence behind.
 */

/** Must run at the boot: V8 installs some of these after a snapshot is loaded, and dies if others were replaced. */
export function reduceWorld(world: Record<string, unknown>): void {
  delete world['WebAssembly'];
  delete world['SharedArrayBuffer'];

  // Taken now: a replaced Reflect.construct would be handed the constructor that can do more.
  const { construct } = Reflect;
  const Plain = ArrayBuffer;
  const fixed = new Proxy(Plain, {
    construct(target, [length, options]: [unknown, { maxByteLength?: unknown } | undefined], made) {
      if (options?.maxByteLength !== undefined) {
        throw new RangeError('Resizable ArrayBuffers are not available to modules.');
      }
      // Only the length is passed on, so that a getter cannot change its answer.
      return construct(target, [length], made) as ArrayBuffer;
    },
  });
  Object.defineProperty(Plain.prototype, 'constructor', { value: fixed });
  Object.defineProperty(world, 'ArrayBuffer', { value: fixed });
}
