/** Where logs and support bundles are uploaded to: blobs of a container, by a URL with a SAS token. */

export type BlobWrite = {
  /** With slashes; the container's URL and token are known. */
  readonly name: string;
  /** `block`: it is there whole or not at all. `append`: it grows, and what has arrived stays. */
  readonly kind: 'block' | 'append';
  readonly contentType: string;
  /** The content is compressed on its way, and the blob says so. */
  readonly gzip: boolean;
  readonly content: AsyncIterable<Uint8Array>;
};

/** Says that nobody wants it any more; an AbortSignal is one. */
export type GiveUp = {
  readonly aborted: boolean;
  addEventListener(what: 'abort', listener: () => void): void;
  removeEventListener(what: 'abort', listener: () => void): void;
};

export interface BlobContainer {
  /** Rejects with UPLOAD_FAILED, when it may work later, or UPLOAD_REFUSED; neither names the token. */
  write(blob: BlobWrite, giveUp: GiveUp): Promise<void>;
}

/** Opens the container of a SAS URL. Throws UPLOAD_REFUSED when the URL is none; nothing is asked yet. */
export type OpenContainer = (sasUrl: string) => BlobContainer;
