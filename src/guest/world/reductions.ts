/**
 * Takes away what an isolate's memory limit does not count: WebAssembly, shared memory and all but small
 * resizable buffers (spec/isolates.md §1.6). The process limit is the fence behind.
 */

import { createResizableBuffers } from './resizable-buffers.ts';

/** Must run at the boot: V8 installs some of these after a snapshot is loaded, and dies if others were replaced. */
export function reduceWorld(world: Record<string, unknown>): void {
  delete world['WebAssembly'];
  delete world['SharedArrayBuffer'];

  // Taken now: a replaced Reflect.construct would be handed the constructor that can do more.
  const { construct } = Reflect;
  const { trunc } = Math;
  const resizable = createResizableBuffers();
  const Plain = ArrayBuffer;
  const fixed = new Proxy(Plain, {
    construct(target, [length, options]: [unknown, { maxByteLength?: unknown } | undefined], made) {
      // Numbers are passed on, so that a getter cannot change its answer.
      const size = +(length as number);
      const max =
        options === null || typeof options !== 'object' ? undefined : options.maxByteLength;
      if (max === undefined) return construct(target, [size], made) as ArrayBuffer;
      const maxByteLength = trunc(+(max as number)) || 0;
      return resizable.make(
        () => construct(target, [size, { __proto__: null, maxByteLength }], made) as ArrayBuffer,
        maxByteLength,
      );
    },
  });
  Object.defineProperty(Plain.prototype, 'constructor', { value: fixed });
  Object.defineProperty(world, 'ArrayBuffer', { value: fixed });
}
