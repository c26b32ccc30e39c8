/** An SPI device as one module holds it. */
import { ServiceError } from '../device-services.ts';
import type { DeviceArgs } from './device-args.ts';
import {
  type DeviceHandle,
  deviceError,
  type HandleDeps,
  needs,
  noSuchWord,
} from './device-handle.ts';
import type { SpiDevice, SpiSettings } from './device-ports.ts';

const SPEED_HZ = [1_000, 500_000_000] as const;
const SPEED_HZ_DEFAULT = 1_000_000;
const BITS = [1, 32] as const;
const BITS_DEFAULT = 8;

export function readSpiSettings(options: DeviceArgs): SpiSettings {
  return {
    mode: options.count('mode', [0, 3], 0) as SpiSettings['mode'],
    speedHz: options.count('speedHz', SPEED_HZ, SPEED_HZ_DEFAULT),
    bitsPerWord: options.count('bitsPerWord', BITS, BITS_DEFAULT),
  };
}

export function createSpiHandle(
  device: SpiDevice,
  { speedHz }: SpiSettings,
  deps: HandleDeps,
): DeviceHandle {
  const { spiBytesMax, spiMs } = deps.limits;
  const most = Math.min(spiBytesMax, Math.floor((speedHz * spiMs) / 8_000));
  return {
    ask(what, args) {
      if (what !== 'transfer') throw noSuchWord(what, deps);
      // Whoever sends reads, too, and the other way round.
      needs('writable', deps, 'transfer');
      needs('readable', deps, 'transfer');
      const bytes = args.bytes('bytes', most);
      if (bytes.length === 0) throw new ServiceError('EINVAL', 'nothing to transfer');
      try {
        return Buffer.from(device.transfer(bytes)).toString('base64');
      } catch (cause) {
        throw deviceError(cause, deps.grant.target);
      }
    },
    close: () => device.close(),
  };
}
