/**
 * Streams of the web (Streams standard): the library's classes, with what it lacks of the standard. All of
 * ours that make streams take them from here, so that a module has one class of each.
 */
// The library looks for the global AbortController when it is loaded.
import './install-events.ts';
import type * as library from 'web-streams-polyfill';
import { CLONE, TRANSFER } from '../world/webidl.ts';
import { DOMException } from './dom-exception.ts';
import loadLibrary from './streams-library.cts';

type Library = typeof library;
export type ReadableStream<Chunk = unknown> = library.ReadableStream<Chunk>;
export type WritableStream<Chunk = unknown> = library.WritableStream<Chunk>;
type TransformStream = library.TransformStream;

let loaded: Library | undefined;

/** By their names; made with the first call. */
export function streams(): Library {
  loaded ??= mended((loadLibrary as unknown as () => Library)());
  return loaded;
}

function mended(library: Library): Library {
  const classes = { ...library, TransformStream: withoutNull(library.TransformStream) };
  const { ReadableStream, TransformStream, WritableStream } = classes;
  // The library's own, from the days before `controller.signal`.
  Reflect.deleteProperty(classes.WritableStreamDefaultController.prototype, 'abortReason');
  mendIterator(ReadableStream);
  mendPipeTo(ReadableStream);
  for (const Class of Object.values(classes) as { readonly prototype: object }[]) {
    if (!(CLONE in Class.prototype)) Object.defineProperty(Class.prototype, CLONE, { value: null });
  }
  const transfers: readonly (readonly [{ readonly prototype: object }, () => object])[] = [
    [ReadableStream, moveReadable],
    [WritableStream, moveWritable],
    [TransformStream, moveTransform],
  ];
  for (const [Class, value] of transfers) {
    Object.defineProperty(Class.prototype, TRANSFER, { value, configurable: true });
  }
  return classes;
}

/** A transformer may be left out, but null is none. */
function withoutNull(Original: Library['TransformStream']): Library['TransformStream'] {
  const { prototype } = Original;
  const TransformStream = function TransformStream(...args: unknown[]): object {
    if (new.target === undefined || args[0] === null) {
      throw new TypeError('TransformStream is made by new, of an object or nothing');
    }
    return Reflect.construct(Original, args, new.target) as object;
  };
  Object.defineProperty(TransformStream, 'prototype', { value: prototype, writable: false });
  Object.defineProperty(prototype, 'constructor', { value: TransformStream });
  return TransformStream as never;
}

/** WebIDL §3.7.10.2: it has the builtin iterators' prototype, and of its own only `next` and `return`. */
function mendIterator({ prototype }: Library['ReadableStream']): void {
  const own = Object.getPrototypeOf(
    Reflect.construct(prototype.constructor, []).values(),
  ) as object;
  const generator = Object.getPrototypeOf(async function* () {}.prototype) as object;
  Object.setPrototypeOf(own, Object.getPrototypeOf(generator) as object);
  Reflect.deleteProperty(own, Symbol.asyncIterator);
}

/** Without its argument it rejects with a text. */
function mendPipeTo({ prototype }: Library['ReadableStream']): void {
  const { pipeTo: original } = prototype;
  const { pipeTo } = {
    pipeTo(
      this: ReadableStream,
      destination: WritableStream,
      ...[options]: readonly [options?: library.StreamPipeOptions]
    ): Promise<void> {
      return destination === undefined
        ? Promise.reject(new TypeError('pipeTo needs a WritableStream'))
        : original.call(this, destination, options);
    },
  };
  Object.defineProperty(prototype, 'pipeTo', { value: pipeTo });
}

// Transferred, each chunk is cloned on its way, as if it went to another world and back.

function moveReadable(this: ReadableStream): object {
  checkUnlocked(this);
  return withClonedChunks(this);
}

/** It takes the stream's place. */
export function withClonedChunks(stream: ReadableStream): ReadableStream {
  const reader = stream.getReader();
  return new (streams().ReadableStream)<unknown>(
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
}

function moveWritable(this: WritableStream): object {
  checkUnlocked(this);
  const writer = this.getWriter();
  return new (streams().WritableStream)<unknown>({
    write: (chunk) => writer.write(cloned(chunk, (reason) => void writer.abort(reason))),
    close: () => writer.close(),
    abort: (reason) => writer.abort(reason),
  });
}

function moveTransform(this: TransformStream): object {
  const { readable, writable } = this;
  checkUnlocked(readable);
  checkUnlocked(writable);
  return Object.create(streams().TransformStream.prototype, {
    readable: { value: moveReadable.call(readable), enumerable: true },
    writable: { value: moveWritable.call(writable), enumerable: true },
  }) as object;
}

function checkUnlocked(stream: { readonly locked: boolean }): void {
  if (stream.locked) throw new DOMException('A locked stream cannot be moved', 'DataCloneError');
}

function cloned(chunk: unknown, fail: (reason: unknown) => void): unknown {
  try {
    return structuredClone(chunk);
  } catch (error) {
    fail(error);
    throw error;
  }
}

type Inside = { readonly _disturbed: boolean; readonly _readableStreamController: object };

/** Has anything been read from it, or has it been cancelled? The standard's own word for a body that is used. */
export function isDisturbed(stream: ReadableStream): boolean {
  return (stream as unknown as Inside)._disturbed;
}

export function isByteStream(stream: ReadableStream): boolean {
  const { _readableStreamController } = stream as unknown as Inside;
  return _readableStreamController instanceof streams().ReadableByteStreamController;
}
