/** Which program stands behind a granted device: Linux's, or the simulated one. */
import type { DeviceGrant, SimulatedDevice } from '../../core/device-grant.ts';
import type { DeviceArgs } from './device-args.ts';
import type { DeviceHandle, HandleDeps } from './device-handle.ts';
import type { GpioChip, I2cBus, SerialEvents, SerialPort, SpiDevice } from './device-ports.ts';
import { createGpioHandle } from './gpio-handle.ts';
import { createI2cHandle } from './i2c-handle.ts';
import { type Kernel, linuxKernel } from './kernel.ts';
import { openLinuxGpio } from './linux-gpio.ts';
import { openLinuxI2c } from './linux-i2c.ts';
import { openLinuxSerial } from './linux-serial.ts';
import { openLinuxSpi } from './linux-spi.ts';
import { createSerialHandle, readSerialSettings } from './serial-handle.ts';
import { createSimulatedGpio } from './simulated-gpio.ts';
import { createSimulatedI2c } from './simulated-i2c.ts';
import { createSpiHandle, readSpiSettings } from './spi-handle.ts';

/** Opens it; throws what the kernel says. */
type Opening = (options: DeviceArgs, deps: HandleDeps) => DeviceHandle;

/** The kernel is loaded only for a device of its own. */
export async function openDevice(grant: DeviceGrant): Promise<Opening> {
  return grant.simulated === undefined
    ? linuxOpening(grant, await linuxKernel())
    : simulatedOpening(grant.path, grant.simulated);
}

function linuxOpening({ path, kind }: DeviceGrant, kernel: Kernel): Opening {
  return (options, deps) => {
    switch (kind) {
      case 'i2c':
        return createI2cHandle(openLinuxI2c(kernel, path), deps);
      case 'spi': {
        const settings = readSpiSettings(options);
        return createSpiHandle(openLinuxSpi(kernel, path, settings), settings, deps);
      }
      case 'gpio':
        return createGpioHandle(openLinuxGpio(kernel, path), deps);
      default: {
        const settings = readSerialSettings(options);
        const open = (events: SerialEvents): SerialPort =>
          openLinuxSerial(kernel, path, settings, events);
        return createSerialHandle(open, deps);
      }
    }
  };
}

/** What several modules of a host use together, by path. */
const buses = new Map<string, I2cBus>();
const chips = new Map<string, GpioChip>();
const portsInUse = new Set<string>();

function simulatedOpening(path: string, device: SimulatedDevice): Opening {
  return (options, deps) => {
    switch (device.kind) {
      case 'i2c':
        return createI2cHandle(
          shared(buses, path, () => createSimulatedI2c(device.chips)),
          deps,
        );
      case 'spi':
        return createSpiHandle(loopbackSpi, readSpiSettings(options), deps);
      case 'gpio': {
        const nowMs = (): number => performance.now();
        return createGpioHandle(
          shared(chips, path, () => createSimulatedGpio(device, nowMs)),
          deps,
        );
      }
      case 'serial': {
        readSerialSettings(options);
        return createSerialHandle((events) => openLoopbackSerial(path, events), deps);
      }
    }
  };
}

function shared<Thing>(things: Map<string, Thing>, path: string, make: () => Thing): Thing {
  const there = things.get(path) ?? make();
  things.set(path, there);
  return there;
}

const loopbackSpi: SpiDevice = { transfer: (bytes) => bytes, close() {} };

/** A port with its two wires joined; as a real one, it belongs to one at a time. */
function openLoopbackSerial(path: string, events: SerialEvents): SerialPort {
  if (portsInUse.has(path)) throw Object.assign(new Error('EBUSY'), { code: 'EBUSY' });
  portsInUse.add(path);
  let open = true;
  return {
    async write(bytes) {
      queueMicrotask(() => {
        if (open) events.data(bytes);
      });
    },
    unsent: () => 0,
    close() {
      open = false;
      portsInUse.delete(path);
    },
  };
}
