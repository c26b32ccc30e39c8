/** The body of a `Request` or a `Response`: bytes there are, or pieces still to come. */

export type BodyInit = string | ArrayBuffer | ArrayBufferView | { toString(): string };

/** Gives the next piece; undefined = that was all. */
export type Pieces = {
  next(): Promise<Uint8Array | undefined>;
  cancel(): void;
};

/** What there is of a ReadableStream so far: to be iterated once, or cancelled. */
type BodyStream = AsyncIterable<Uint8Array> & { readonly locked: boolean; cancel(): Promise<void> };

export class Body {
  readonly #pieces: Pieces | undefined;
  #used = false;

  constructor(pieces: Pieces | undefined) {
    this.#pieces = pieces;
  }

  get bodyUsed(): boolean {
    return this.#used;
  }

  get body(): BodyStream | null {
    const pieces = this.#pieces;
    if (pieces === undefined) return null;
    const use = (): void => this.#use();
    const isUsed = (): boolean => this.#used;
    return {
      get locked() {
        return isUsed();
      },
      async *[Symbol.asyncIterator]() {
        use();
        let over = false;
        try {
          for (;;) {
            const piece = await pieces.next();
            over = piece === undefined;
            if (piece === undefined) return;
            if (piece.byteLength > 0) yield piece;
          }
        } finally {
          if (!over) pieces.cancel();
        }
      },
      async cancel() {
        use();
        pieces.cancel();
      },
    };
  }

  async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    this.#use();
    const pieces: Uint8Array[] = [];
    let size = 0;
    for (;;) {
      const piece = await this.#pieces?.next();
      if (piece === undefined) break;
      pieces.push(piece);
      size += piece.byteLength;
    }
    const all = new Uint8Array(size);
    let at = 0;
    for (const piece of pieces) {
      all.set(piece, at);
      at += piece.byteLength;
    }
    return all;
  }
  async arrayBuffer(): Promise<ArrayBuffer> {
    return (await this.bytes()).buffer;
  }
  async text(): Promise<string> {
    return new TextDecoder().decode(await this.bytes());
  }
  // oxlint-disable-next-line typescript/no-explicit-any -- as everywhere: JSON may be anything
  async json(): Promise<any> {
    return JSON.parse(await this.text());
  }

  #use(): void {
    if (this.#used) throw new TypeError('The body has already been read');
    this.#used = true;
  }
}

/** Bytes of their own, and the content type they come with. */
export function bodyBytes(body: BodyInit): {
  readonly bytes: Uint8Array;
  readonly type: string | undefined;
} {
  if (typeof body === 'string') {
    return { bytes: new TextEncoder().encode(body), type: 'text/plain;charset=UTF-8' };
  }
  if (body instanceof ArrayBuffer) return { bytes: new Uint8Array(body.slice(0)), type: undefined };
  if (ArrayBuffer.isView(body)) {
    const view = new Uint8Array(body.buffer, body.byteOffset, body.byteLength);
    return { bytes: view.slice(), type: undefined };
  }
  // Found by what it is called: a module may bring its own.
  const kind = Object.prototype.toString.call(body);
  if (kind === '[object URLSearchParams]' || body?.constructor?.name === 'URLSearchParams') {
    const type = 'application/x-www-form-urlencoded;charset=UTF-8';
    return { bytes: new TextEncoder().encode(String(body)), type };
  }
  throw new TypeError(
    'A body is a string, bytes (ArrayBuffer, Uint8Array) or URLSearchParams: make text of objects with JSON.stringify',
  );
}

/** All at once. */
export function piecesOf(bytes: Uint8Array): Pieces {
  let rest: Uint8Array | undefined = bytes;
  return {
    async next() {
      const piece = rest;
      rest = undefined;
      return piece;
    },
    cancel() {
      rest = undefined;
    },
  };
}
