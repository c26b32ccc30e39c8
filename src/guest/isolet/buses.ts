/** I2C and SPI for modules: `import { openI2c, openSpi } from 'isolet'` (docs/devices.md). */
import { ask, close, open, toBytes, toText } from './device-calls.ts';

/** Bytes to send; a plain list of numbers will do. */
type Bytes = Uint8Array | readonly number[];

export type I2cBus = {
  /** Reads from a chip; `address` from 0 to 0x7f. */
  read(address: number, length: number): Promise<Buffer>;
  write(address: number, bytes: Bytes): Promise<void>;
  /** Writes (most often a register's number) and reads after a repeated start: nobody comes between. */
  writeRead(address: number, bytes: Bytes, length: number): Promise<Buffer>;
  close(): Promise<void>;
};

/** `path` is the device's `PathInContainer`. Rejects with EACCES when it is not granted. */
export async function openI2c(path: string): Promise<I2cBus> {
  return open('i2c', path, {}, (source) => ({
    read: (address, length) => ask('transfer', { source, address, length }, toBytes),
    write: async (address, bytes) =>
      ask('transfer', { source, address, bytes: toText(bytes) }, () => {}),
    writeRead: async (address, bytes, length) =>
      ask('transfer', { source, address, bytes: toText(bytes), length }, toBytes),
    close: () => close(source),
  }));
}

export type SpiOptions = {
  /** Polarity and phase of the clock, 0 when not given. */
  readonly mode?: 0 | 1 | 2 | 3;
  /** 1 MHz when not given. */
  readonly speedHz?: number;
  /** 8 when not given. */
  readonly bitsPerWord?: number;
};

export type SpiDevice = {
  /** Sends, and resolves with the bytes that came meanwhile: as many. */
  transfer(bytes: Bytes): Promise<Buffer>;
  close(): Promise<void>;
};

/** `path` is the device's `PathInContainer`. Rejects with EACCES when it is not granted. */
export async function openSpi(path: string, options: SpiOptions = {}): Promise<SpiDevice> {
  return open('spi', path, options, (source) => ({
    transfer: async (bytes) => ask('transfer', { source, bytes: toText(bytes) }, toBytes),
    close: () => close(source),
  }));
}
