/**
 * Streams of the web (Streams standard): the library's classes, with what it lacks of the standard. All of
 * ours that make streams take them from here, so that a module has one class of each.
 */
// The library looks for the global AbortController when it is loaded.
import './install-events.ts';
import {
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  type StreamPipeOptions,
  TransformStream,
  TransformStreamDefaultController,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
} from 'web-streams-polyfill';
import { CLONE, TRANSFER } from '../world/webidl.ts';
import { DOMException } from './dom-exception.ts';

export { ReadableStream, TransformStream, WritableStream };

/** By their names. */
export const streamClasses = {
  ByteLengthQueuingStrategy,
  CountQueuingStrategy,
  ReadableByteStreamController,
  ReadableStream,
  ReadableStreamBYOBReader,
  ReadableStreamBYOBRequest,
  ReadableStreamDefaultController,
  ReadableStreamDefaultReader,
  TransformStream,
  TransformStreamDefaultController,
  WritableStream,
  WritableStreamDefaultController,
  WritableStreamDefaultWriter,
};

function define(target: object, key: PropertyKey, value: unknown): void {
  Object.defineProperty(target, key, { value, writable: true, configurable: true });
}

// The library's own, from the days before `controller.signal`.
Reflect.deleteProperty(WritableStreamDefaultController.prototype, 'abortReason');

// WebIDL §3.7.10.2: it has the builtin iterators' prototype, and of its own only `next` and `return`.
const probe = new ReadableStream<unknown>().values();
const iteratorPrototype = Object.getPrototypeOf(probe) as object;
const asyncGenerator = Object.getPrototypeOf(async function* () {}.prototype) as object;
Object.setPrototypeOf(iteratorPrototype, Object.getPrototypeOf(asyncGenerator) as object);
Reflect.deleteProperty(iteratorPrototype, Symbol.asyncIterator);

// Without its argument it rejects with a text.
const { pipeTo } = ReadableStream.prototype;
const ours = {
  pipeTo(
    this: ReadableStream,
    destination: WritableStream,
    ...[options]: readonly [options?: StreamPipeOptions]
  ): Promise<void> {
    return destination === undefined
      ? Promise.reject(new TypeError('pipeTo needs a WritableStream'))
      : pipeTo.call(this, destination, options);
  },
};
Object.defineProperty(ReadableStream.prototype, 'pipeTo', { value: ours.pipeTo });

for (const Class of Object.values(streamClasses)) {
  if (!(CLONE in Class.prototype)) Object.defineProperty(Class.prototype, CLONE, { value: null });
}

// Transferred, each chunk is cloned on its way, as if it went to another world and back.

function checkUnlocked(stream: { readonly locked: boolean }): void {
  if (stream.locked) throw new DOMException('A locked stream cannot be moved', 'DataCloneError');
}

define(ReadableStream.prototype, TRANSFER, function (this: ReadableStream): object {
  checkUnlocked(this);
  const reader = this.getReader();
  return new ReadableStream<unknown>(
    {
      async pull(controller) {
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(cloned(value, (reason) => void reader.cancel(reason)));
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
});

define(WritableStream.prototype, TRANSFER, function (this: WritableStream): object {
  checkUnlocked(this);
  const writer = this.getWriter();
  return new WritableStream<unknown>({
    write: (chunk) => writer.write(cloned(chunk, (reason) => void writer.abort(reason))),
    close: () => writer.close(),
    abort: (reason) => writer.abort(reason),
  });
});

define(TransformStream.prototype, TRANSFER, function (this: TransformStream): object {
  const { readable, writable } = this;
  checkUnlocked(readable);
  checkUnlocked(writable);
  return Object.create(TransformStream.prototype, {
    readable: { value: moved(readable), enumerable: true },
    writable: { value: moved(writable), enumerable: true },
  }) as object;
});

function moved(stream: object): unknown {
  return (stream as Record<symbol, () => object>)[TRANSFER]?.();
}

function cloned(chunk: unknown, fail: (reason: unknown) => void): unknown {
  try {
    return structuredClone(chunk);
  } catch (error) {
    fail(error);
    throw error;
  }
}

/** Has anything been read from it, or has it been cancelled? The standard's own word for a body that is used. @public */
export function isDisturbed(stream: ReadableStream): boolean {
  return (stream as unknown as { readonly _disturbed: boolean })._disturbed;
}
