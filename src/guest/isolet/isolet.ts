/** What a module imports from 'isolet': what is its own, and what it may use of the device if it was granted. */
export { type BlobContent, type BlobInfo, type Blobs, blobs } from './blobs.ts';
export { type I2cBus, openI2c, openSpi, type SpiDevice, type SpiOptions } from './buses.ts';
export {
  type GpioChip,
  type GpioEdge,
  type GpioInput,
  type GpioInputOptions,
  type GpioOutput,
  type GpioOutputOptions,
  openGpio,
} from './gpio.ts';
export type { KvValue } from './kept-value.ts';
export {
  type Kv,
  type KvEntry,
  type KvRange,
  type KvReader,
  type KvTransaction,
  kv,
} from './kv.ts';
export { type Log, log } from './log.ts';
export {
  type Counter,
  type Gauge,
  type Histogram,
  type HistogramOptions,
  type MetricLabels,
  type MetricOptions,
  type Metrics,
  metrics,
} from './metrics.ts';
export { ready } from './ready.ts';
export { type Schedule, type ScheduleOptions, schedule, type Wake } from './schedule.ts';
export { openSerial, type SerialOptions, type SerialPort } from './serial.ts';
