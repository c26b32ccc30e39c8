/** Every limit of what one module does with the machine's devices, with its default and the reason for it. */
export type DeviceLimits = {
  /** Bytes written or read by one I2C transfer. At 100 kHz 2 048 take 0.2 s, in which the host stands. */
  readonly i2cBytesMax: number;
  /** Bytes of one SPI transfer: what spidev itself takes when nobody has raised its `bufsiz`. */
  readonly spiBytesMax: number;
  /** How long one SPI transfer may take at the device's clock, ms. */
  readonly spiMs: number;
  /** Bytes received and not fetched, bytes to send and not sent, of one serial port. */
  readonly serialBytesMax: number;
  /** Edges of one line in a second; the rest is counted and not told. */
  readonly edgesMax: number;
  /** Handles one module may hold open: devices, and lines of GPIO chips. */
  readonly handlesMax: number;
};

export const defaultDeviceLimits: DeviceLimits = {
  i2cBytesMax: 2_048,
  spiBytesMax: 4_096,
  spiMs: 250,
  serialBytesMax: 65_536,
  edgesMax: 1_000,
  handlesMax: 64,
};
