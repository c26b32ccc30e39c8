/** An I2C bus of Linux: /dev/i2c-*, one I2C_RDWR for each transfer (linux/i2c.h, linux/i2c-dev.h). */
import { constants } from 'node:fs';
import type { I2cBus } from './device-ports.ts';
import { type Kernel, memory, viewOf } from './kernel.ts';

export const I2C_SLAVE = 0x0703;
export const I2C_RDWR = 0x0707;
const I2C_M_RD = 1;
/** struct i2c_rdwr_ioctl_data: the messages' address and their number. */
const TRANSFER_BYTES = 16;
/** struct i2c_msg: address, flags, length, and where the bytes are. */
const MESSAGE_BYTES = 16;

export function openLinuxI2c(kernel: Kernel, path: string): I2cBus {
  const file = kernel.open(path, constants.O_RDWR);
  return {
    transfer(address, bytes, readBytes) {
      // Costs nothing on the bus, and is refused for a chip that a driver of the kernel has: EBUSY.
      kernel.ioctlNumber(file, I2C_SLAVE, address);
      const messages = (bytes.length > 0 ? 1 : 0) + (readBytes > 0 ? 1 : 0);
      // One piece of memory for all of it, so that all of it lives as long.
      const writeAt = TRANSFER_BYTES + messages * MESSAGE_BYTES;
      const readAt = writeAt + bytes.length;
      const data = memory(readAt + readBytes);
      const view = viewOf(data);
      const start = kernel.addressOf(data);
      view.setBigUint64(0, start + BigInt(TRANSFER_BYTES), true);
      view.setUint32(8, messages, true);
      let at = TRANSFER_BYTES;
      const put = (flags: number, length: number, where: number): void => {
        view.setUint16(at, address, true);
        view.setUint16(at + 2, flags, true);
        view.setUint16(at + 4, length, true);
        view.setBigUint64(at + 8, start + BigInt(where), true);
        at += MESSAGE_BYTES;
      };
      if (bytes.length > 0) put(0, bytes.length, writeAt);
      if (readBytes > 0) put(I2C_M_RD, readBytes, readAt);
      data.set(bytes, writeAt);
      kernel.ioctl(file, I2C_RDWR, data);
      return data.slice(readAt);
    },
    close: () => kernel.close(file),
  };
}
