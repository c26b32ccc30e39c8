/**
 * What the four kinds of devices do, whether Linux has them or we play them. All of it is synchronous
 * and short: who calls bounds the sizes. Failures are errors with Node's `code`.
 */

export type I2cBus = {
  /** Writes, then reads after a repeated start, in one transfer; either may be empty, not both. */
  transfer(address: number, bytes: Uint8Array, readBytes: number): Uint8Array;
  close(): void;
};

export type SpiSettings = {
  readonly mode: 0 | 1 | 2 | 3;
  readonly speedHz: number;
  readonly bitsPerWord: number;
};

export type SpiDevice = {
  /** As many bytes come back as go out. */
  transfer(bytes: Uint8Array): Uint8Array;
  close(): void;
};

export type GpioValue = 0 | 1;
type GpioEdge = 'rising' | 'falling';

export type LineSettings =
  | {
      readonly direction: 'in';
      readonly bias: 'as-is' | 'none' | 'pull-up' | 'pull-down';
      /** `none`: nothing is watched. */
      readonly edge: GpioEdge | 'both' | 'none';
      readonly activeLow: boolean;
    }
  | { readonly direction: 'out'; readonly value: GpioValue; readonly activeLow: boolean };

export type EdgeEvent = {
  readonly edge: GpioEdge;
  /** The kernel's monotonic clock. */
  readonly timeMs: number;
  /** Counts the line's edges from 1; a gap shows what nobody took in time. */
  readonly number: number;
};

export type GpioLine = {
  read(): GpioValue;
  write(value: GpioValue): void;
  /** Edges since the last call, `most` at most. */
  takeEdges(most: number): readonly EdgeEvent[];
  close(): void;
};

export type GpioChip = {
  line(line: number, settings: LineSettings): GpioLine;
  close(): void;
};

export type SerialSettings = {
  readonly baudRate: number;
  readonly dataBits: 5 | 6 | 7 | 8;
  readonly parity: 'none' | 'even' | 'odd';
  readonly stopBits: 1 | 2;
};

export type SerialEvents = {
  data(bytes: Uint8Array): void;
  /** It was unplugged, or failed. Called at most once. */
  gone(code: string): void;
};

export type SerialPort = {
  /** Resolves when the kernel has taken all of it. */
  write(bytes: Uint8Array): Promise<void>;
  /** Bytes the kernel has taken and not sent. */
  unsent(): number;
  /** At once: what is not sent is dropped. */
  close(): void;
};
