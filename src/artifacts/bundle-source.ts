/** Where the bytes of an archive come from: a file of the device, a web server, a registry. */
import { createReadStream } from 'node:fs';
import { Fault } from '../core/fault.ts';
import type { Clock } from '../core/ports.ts';
import type { Pin } from './bundle-pins.ts';
import { type Download, type DownloadLimits, isRangeRefused, startDownload } from './download.ts';
import type { ImageReference } from './image-reference.ts';
import type { RegistryImage } from './registry.ts';

/** What a source gives: where its bytes belong, and the bytes. */
export type Source = {
  readonly startByte: number;
  /** False when an early end looks like the real one. */
  readonly endIsKnown: boolean;
  readonly chunks: AsyncIterable<Uint8Array>;
  close(): void;
};

/** One archive, wherever it lies. */
export type Wanted = {
  readonly shown: string;
  /** Lower-case hex SHA-256. */
  readonly sha256: string;
  /** True when a registry said which archive it is, not the deployment. */
  readonly isPromised: boolean;
  readonly bytesMax: number;
  /** Its bytes from this one on, or from the first. Rejects with DOWNLOAD_FAILED, BUNDLE_INVALID. */
  open(haveBytes: number): Promise<Source>;
  /** What is said when more than `bytesMax` bytes come. */
  tooLarge(): Fault;
};

export interface Sources {
  wanted(reference: Exclude<ImageReference, { kind: 'registry' }>): Wanted;
  ofRegistry(pin: Pin, image: RegistryImage): Wanted;
}

export function createSources(times: DownloadLimits, bytesMax: number, clock: Clock): Sources {
  /** From the start when the server has no byte at or after the place asked for. */
  async function fromWeb(
    begin: (fromByte: number) => Promise<Download>,
    haveBytes: number,
    tooLarge: () => Fault,
  ): Promise<Download> {
    try {
      const download = await begin(haveBytes);
      if ((download.totalBytes ?? 0) <= bytesMax) return download;
      download.close();
      throw tooLarge();
    } catch (cause) {
      if (haveBytes === 0 || !isRangeRefused(cause)) throw cause;
      return fromWeb(begin, 0, tooLarge);
    }
  }

  const tooLargeHere = (shown: string): Fault =>
    new Fault(
      'BUNDLE_INVALID',
      `${shown} is larger than the ${bytesMax} bytes a bundle may have here`,
    );

  return {
    wanted(reference) {
      const { shown, sha256 } = reference;
      const tooLarge = (): Fault => tooLargeHere(shown);
      const open = (haveBytes: number): Promise<Source> =>
        reference.kind === 'file'
          ? Promise.resolve(fileSource(reference.path))
          : fromWeb((at) => startDownload(reference.url, at, times, clock), haveBytes, tooLarge);
      return { shown, sha256, isPromised: false, bytesMax, open, tooLarge };
    },
    ofRegistry(pin, image) {
      const { image: shown, sha256, bytes } = pin;
      const lies = (): Fault =>
        new Fault(
          'DOWNLOAD_FAILED',
          `the registry sends another number of bytes for ${shown} than the ${bytes} its manifest names: push the bundle again`,
        );
      return {
        shown,
        sha256,
        isPromised: true,
        bytesMax: bytes,
        tooLarge: lies,
        async open(haveBytes) {
          if (bytes > bytesMax) throw tooLargeHere(shown);
          const begin = (at: number): Promise<Download> => image.open(pin, at);
          const download = await fromWeb(begin, Math.min(haveBytes, bytes), lies);
          if (download.totalBytes === undefined || download.totalBytes === bytes) return download;
          download.close();
          throw lies();
        },
      };
    },
  };
}

function fileSource(path: string): Source {
  return { startByte: 0, endIsKnown: true, chunks: readChunks(path), close: () => {} };
}

async function* readChunks(path: string): AsyncGenerator<Uint8Array> {
  for await (const chunk of createReadStream(path)) yield chunk as Uint8Array;
}
