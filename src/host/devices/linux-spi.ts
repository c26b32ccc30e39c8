/** An SPI device of Linux: /dev/spidev*, both ways at once (linux/spi/spidev.h). */
import { constants } from 'node:fs';
import type { SpiDevice, SpiSettings } from './device-ports.ts';
import { type Kernel, memory, viewOf } from './kernel.ts';

export const SPI_IOC_MESSAGE_1 = 0x4020_6b00;
export const SPI_IOC_WR_MODE = 0x4001_6b01;
export const SPI_IOC_WR_BITS_PER_WORD = 0x4001_6b03;
export const SPI_IOC_WR_MAX_SPEED_HZ = 0x4004_6b04;
/** struct spi_ioc_transfer. */
const TRANSFER_BYTES = 32;

export function openLinuxSpi(kernel: Kernel, path: string, settings: SpiSettings): SpiDevice {
  const file = kernel.open(path, constants.O_RDWR);
  try {
    const number = memory(4);
    viewOf(number).setUint32(0, settings.mode, true);
    kernel.ioctl(file, SPI_IOC_WR_MODE, number);
    viewOf(number).setUint32(0, settings.bitsPerWord, true);
    kernel.ioctl(file, SPI_IOC_WR_BITS_PER_WORD, number);
    viewOf(number).setUint32(0, settings.speedHz, true);
    kernel.ioctl(file, SPI_IOC_WR_MAX_SPEED_HZ, number);
  } catch (cause) {
    kernel.close(file);
    throw cause;
  }
  return {
    transfer(bytes) {
      const readAt = TRANSFER_BYTES + bytes.length;
      const data = memory(readAt + bytes.length);
      const view = viewOf(data);
      const start = kernel.addressOf(data);
      view.setBigUint64(0, start + BigInt(TRANSFER_BYTES), true);
      view.setBigUint64(8, start + BigInt(readAt), true);
      view.setUint32(16, bytes.length, true);
      view.setUint32(20, settings.speedHz, true);
      view.setUint8(26, settings.bitsPerWord);
      data.set(bytes, TRANSFER_BYTES);
      kernel.ioctl(file, SPI_IOC_MESSAGE_1, data);
      return data.slice(readAt);
    },
    close: () => kernel.close(file),
  };
}
