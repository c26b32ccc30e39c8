/** What `Request` and `Response` share (fetch standard §5.2, §5.3): how a body is made, and read. */
import { type Blob, blobParts, createBlob, isBlob } from './blob.ts';
import { bytesOfSource, streamOfBytes } from './byte-stream.ts';
import { Content } from './content.ts';
import { FormData, isFormData } from './form-data.ts';
import type { Headers } from './headers.ts';
import { formatMimeType, type MimeType, mimeTypeOf } from './mime-type.ts';
import { decodeForm, encodeForm } from './multipart.ts';
import { isDisturbed, type ReadableStream, streams } from './streams.ts';
import { textStream } from './text-streams.ts';
import { parseForm } from './url-search-params.ts';

export type BodyInit =
  | string
  | ArrayBuffer
  | ArrayBufferView
  | Blob
  | FormData
  | ReadableStream
  | { toString(): string };

type Extracted = { readonly content: Content; readonly type: string | undefined };

/** "Extract a body": bytes of their own, and the content type they come with. */
export function extractBody(body: unknown): Extracted {
  if (typeof body === 'object' && body !== null) {
    const bytes = bytesOfSource(body);
    if (bytes !== undefined) return { content: Content.ofBytes(bytes.slice()), type: undefined };
    if (isBlob(body)) {
      return { content: Content.ofParts(blobParts(body)), type: body.type || undefined };
    }
    if (isFormData(body)) {
      const { parts, boundary } = encodeForm(body);
      const type = `multipart/form-data; boundary=${boundary}`;
      return { content: Content.ofParts(parts), type };
    }
    // Found by what it is called: a module may bring its own.
    if (Object.prototype.toString.call(body) === '[object URLSearchParams]') {
      return ofText(body, 'application/x-www-form-urlencoded;charset=UTF-8');
    }
    if (body instanceof streams().ReadableStream) {
      if (body.locked || isDisturbed(body)) {
        throw new TypeError('The stream of a body has already been read, or is being read');
      }
      return { content: Content.ofStream(body), type: undefined };
    }
  }
  return ofText(body, 'text/plain;charset=UTF-8');
}

function ofText(body: unknown, type: string): Extracted {
  return { content: Content.ofBytes(new TextEncoder().encode(`${body as string}`)), type };
}

type Held = { readonly content: Content | null; readonly headers: Headers };

/** The members of a body, on the class of those that have one. */
export type Body = {
  readonly body: ReadableStream<Uint8Array> | null;
  readonly bodyUsed: boolean;
  arrayBuffer(): Promise<ArrayBuffer>;
  blob(): Promise<Blob>;
  bytes(): Promise<Uint8Array<ArrayBuffer>>;
  formData(): Promise<FormData>;
  // oxlint-disable-next-line typescript/no-explicit-any -- as everywhere: JSON may be anything
  json(): Promise<any>;
  text(): Promise<string>;
  textStream(): ReadableStream<string>;
};

/** Defines them; call it before `describeInterface`. `heldBy` throws a TypeError when it is not given an instance. */
export function includeBody<Instance>(
  Class: { readonly prototype: Instance },
  heldBy: (instance: Instance) => Held,
): void {
  async function read(instance: Instance): Promise<Uint8Array<ArrayBuffer>> {
    return (await heldBy(instance).content?.read()) ?? new Uint8Array();
  }
  const members = {
    get body(): ReadableStream | null {
      return heldBy(this as Instance).content?.stream ?? null;
    },
    get bodyUsed(): boolean {
      return heldBy(this as Instance).content?.isDisturbed ?? false;
    },
    async arrayBuffer(this: Instance): Promise<ArrayBuffer> {
      return (await read(this)).buffer;
    },
    async blob(this: Instance): Promise<Blob> {
      const { headers } = heldBy(this);
      const type = mimeTypeOf(headers.get('content-type'));
      return createBlob([await read(this)], type === undefined ? '' : formatMimeType(type));
    },
    async bytes(this: Instance): Promise<Uint8Array<ArrayBuffer>> {
      return read(this);
    },
    async formData(this: Instance): Promise<FormData> {
      const { headers } = heldBy(this);
      const type = mimeTypeOf(headers.get('content-type'));
      return toForm(await read(this), type);
    },
    async json(this: Instance): Promise<unknown> {
      return JSON.parse(decode(await read(this))) as unknown;
    },
    async text(this: Instance): Promise<string> {
      return decode(await read(this));
    },
    textStream(this: Instance): ReadableStream<string> {
      const { content } = heldBy(this);
      if (content?.isUnusable) throw new TypeError('The body has already been read');
      return textStream(content?.stream ?? streamOfBytes([]));
    },
  };
  Object.defineProperties(Class.prototype, Object.getOwnPropertyDescriptors(members));
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function toForm(bytes: Uint8Array, type: MimeType | undefined): FormData {
  switch (type?.essence) {
    case 'multipart/form-data':
      return decodeForm(bytes, type.parameters.get('boundary') ?? '');
    case 'application/x-www-form-urlencoded': {
      const form = new FormData();
      const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
      for (const [name, value] of parseForm(text)) form.append(name, value);
      return form;
    }
    default:
      throw new TypeError(
        'The body is no form: its Content-Type must be multipart/form-data or application/x-www-form-urlencoded',
      );
  }
}
