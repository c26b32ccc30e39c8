/** Serial ports for modules: `import { openSerial } from 'isolet'` (docs/devices.md). */
import type { Json } from '../../core/json.ts';
import { takeSeam } from '../seam.ts';
import { ask, close, onNews, open, toBytes, toText } from './device-calls.ts';

const { EventEmitter } = takeSeam();

export type SerialOptions = {
  /** 9600 when not given; any number the port's clock can make. */
  readonly baudRate?: number;
  readonly dataBits?: 5 | 6 | 7 | 8;
  readonly parity?: 'none' | 'even' | 'odd';
  readonly stopBits?: 1 | 2;
};

type News = {
  readonly bytes: string;
  readonly lost: number;
  readonly gone: { readonly code: string; readonly message: string } | null;
};

/**
 * Emits 'data' with a Buffer; 'lost' with the number of bytes that came faster than the module took
 * them; 'error' when the port is gone, then 'close'.
 */
export class SerialPort extends EventEmitter {
  readonly #source: number;

  constructor(source: number) {
    super();
    this.#source = source;
    let waits = false;
    const fetch = (): void => {
      waits = this.listenerCount('data') === 0;
      if (waits) return;
      // It may have been closed meanwhile.
      ask('fetch', { source }, (value) => this.#tell(value)).catch(() => {});
    };
    onNews(source, fetch);
    this.on('newListener', (name: unknown) => {
      if (name === 'data' && waits) queueMicrotask(fetch);
    });
  }

  #tell(value: Json): void {
    const { bytes, lost, gone } = value as News;
    if (bytes !== '') this.emit('data', toBytes(bytes));
    if (lost > 0) this.emit('lost', lost);
    if (gone === null) return;
    void this.close();
    this.emit('error', Object.assign(new Error(gone.message), { code: gone.code }));
    this.emit('close');
  }

  /** Resolves when the kernel has taken all of it. Text is sent as UTF-8. */
  async write(data: Uint8Array | readonly number[] | string): Promise<void> {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    return ask('write', { source: this.#source, bytes: toText(bytes) }, () => {});
  }

  close(): Promise<void> {
    return close(this.#source);
  }
}

/** `path` is the device's `PathInContainer`. Rejects with EACCES when it is not granted. */
export async function openSerial(path: string, options: SerialOptions = {}): Promise<SerialPort> {
  return open('serial', path, options, (source) => new SerialPort(source));
}
