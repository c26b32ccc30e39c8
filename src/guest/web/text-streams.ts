/** `TextEncoderStream` and `TextDecoderStream` (Encoding standard §7.6, §7.7). */
import { describeInterface } from '../world/webidl.ts';
import { type ReadableStream, streams, type WritableStream } from './streams.ts';

type Pair = { readonly readable: ReadableStream; readonly writable: WritableStream };

export class TextEncoderStream {
  readonly #pair: Pair;

  constructor() {
    const encoder = new TextEncoder();
    /** The first half of a pair whose other half comes with the next chunk. */
    let lead = '';
    this.#pair = new (streams().TransformStream)<unknown, unknown>({
      transform(chunk, controller) {
        let text = lead + `${chunk as string}`;
        lead = '';
        if (/[\ud800-\udbff]$/.test(text)) {
          lead = text.slice(-1);
          text = text.slice(0, -1);
        }
        if (text !== '') controller.enqueue(encoder.encode(text));
      },
      flush(controller) {
        if (lead !== '') controller.enqueue(encoder.encode(lead));
      },
    });
  }

  get encoding(): string {
    void this.#pair;
    return 'utf-8';
  }
  get readable(): ReadableStream {
    return this.#pair.readable;
  }
  get writable(): WritableStream {
    return this.#pair.writable;
  }
  static {
    describeInterface(this);
  }
}

export class TextDecoderStream {
  readonly #decoder: TextDecoder;
  readonly #pair: Pair;

  constructor(
    label = 'utf-8',
    options: { readonly fatal?: boolean; readonly ignoreBOM?: boolean } = {},
  ) {
    const decoder = new TextDecoder(label, options);
    this.#decoder = decoder;
    this.#pair = new (streams().TransformStream)<unknown, unknown>({
      transform(chunk, controller) {
        if (chunk === undefined) throw new TypeError('A chunk to decode must be bytes');
        const text = decoder.decode(chunk as Uint8Array, { stream: true });
        if (text !== '') controller.enqueue(text);
      },
      flush(controller) {
        const text = decoder.decode();
        if (text !== '') controller.enqueue(text);
      },
    });
  }

  get encoding(): string {
    return this.#decoder.encoding;
  }
  get fatal(): boolean {
    return this.#decoder.fatal;
  }
  get ignoreBOM(): boolean {
    return this.#decoder.ignoreBOM;
  }
  get readable(): ReadableStream {
    return this.#pair.readable;
  }
  get writable(): WritableStream {
    return this.#pair.writable;
  }
  static {
    describeInterface(this);
  }
}

/** As UTF-8, without its byte order mark. */
export function textStream(bytes: ReadableStream): ReadableStream<string> {
  return bytes.pipeThrough(new TextDecoderStream() as never);
}
