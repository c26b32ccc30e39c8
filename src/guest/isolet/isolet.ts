/** What a module imports from 'isolet': what it may use of the device, if it was granted. */
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
export { openSerial, type SerialOptions, type SerialPort } from './serial.ts';
