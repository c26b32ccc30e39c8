/** An I2C bus as one module holds it. */
import { ServiceError } from '../device-services.ts';
import {
  type DeviceHandle,
  deviceError,
  type HandleDeps,
  needs,
  noSuchWord,
} from './device-handle.ts';
import type { I2cBus } from './device-ports.ts';

const ADDRESS_MAX = 0x7f;

export function createI2cHandle(bus: I2cBus, deps: HandleDeps): DeviceHandle {
  const { target } = deps.grant;
  const most = deps.limits.i2cBytesMax;
  return {
    ask(what, args) {
      if (what !== 'transfer') throw noSuchWord(what, deps);
      const address = args.count('address', [0, ADDRESS_MAX]);
      const bytes = args.bytes('bytes', most);
      const readBytes = args.count('length', [0, Number.MAX_SAFE_INTEGER], 0);
      if (readBytes > most) {
        throw new ServiceError(
          'EMSGSIZE',
          `${readBytes} bytes are more than the ${most} of one transfer: read them in pieces`,
        );
      }
      if (bytes.length + readBytes === 0) throw new ServiceError('EINVAL', 'nothing to transfer');
      if (bytes.length > 0) needs('writable', deps, 'write');
      if (readBytes > 0) needs('readable', deps, 'read');
      try {
        return Buffer.from(bus.transfer(address, bytes, readBytes)).toString('base64');
      } catch (cause) {
        throw deviceError(cause, `${target}, address 0x${address.toString(16).padStart(2, '0')}`);
      }
    },
    close: () => bus.close(),
  };
}
