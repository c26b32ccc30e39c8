/**
 * The device service of one module: opens what it was granted, by the path it knows, and lends it
 * numbers for what is open. Short calls of the kernel, one after the other: between two of them the
 * host has time for its other modules.
 */
import { setImmediate } from 'node:timers/promises';
import type { DeviceGrant, DeviceKind } from '../../core/device-grant.ts';
import type { Json } from '../../core/json.ts';
import { type MakeService, ServiceError } from '../device-services.ts';
import { type DeviceArgs, readArgs } from './device-args.ts';
import { type DeviceHandle, deviceError, type HandleDeps } from './device-handle.ts';
import { openDevice } from './open-device.ts';

const KIND_NAMES: Readonly<Record<DeviceKind, string>> = {
  i2c: 'an I2C bus: open it with openI2c',
  spi: 'an SPI device: open it with openSpi',
  gpio: 'a GPIO chip: open it with openGpio',
  serial: 'a serial port: open it with openSerial',
};
const KINDS = ['i2c', 'spi', 'gpio', 'serial'] as const;

/** The end of the line of all modules of this host. */
let lastTurn: Promise<unknown> = Promise.resolve();

/**
 * Begins after everything asked before has begun, and after whatever else the process has to do. Calls
 * of the kernel are over then; what takes its time (a serial port's writing) is not waited for.
 */
function inTurn<Value>(run: () => Promise<Value>): Promise<Value> {
  const turn = lastTurn.then(() => setImmediate());
  lastTurn = turn;
  return turn.then(run);
}

export const makeDevices: MakeService = ({ grants, signal, settings }) => {
  const limits = settings.devices;
  const handles = new Map<number, DeviceHandle>();
  let lastNumber = 0;
  let closed = false;

  function keep(make: (signal: () => boolean) => DeviceHandle): number {
    if (handles.size >= limits.handlesMax) {
      throw new ServiceError(
        'EMFILE',
        `the module holds ${limits.handlesMax} devices and lines open: close some`,
      );
    }
    const number = ++lastNumber;
    handles.set(
      number,
      make(() => signal(number, null)),
    );
    return number;
  }

  async function open(args: DeviceArgs): Promise<number> {
    const grant = granted(grants.devices, args.text('path'));
    const kind = args.word('kind', KINDS);
    if (grant.kind !== kind) {
      throw new ServiceError('EINVAL', `${grant.target} is ${KIND_NAMES[grant.kind]}`);
    }
    const opening = await openDevice(grant);
    if (closed) throw new ServiceError('ECANCELED', 'the module has ended');
    return keep((tell) => {
      const deps: HandleDeps = { grant, signal: tell, keep, limits };
      try {
        return opening(args.inner('options'), deps);
      } catch (cause) {
        throw deviceError(cause, grant.target);
      }
    });
  }

  async function perform(what: string, args: DeviceArgs): Promise<Json> {
    if (closed) throw new ServiceError('ECANCELED', 'the module has ended');
    if (what === 'open') return open(args);
    const number = args.count('source', [1, Number.MAX_SAFE_INTEGER]);
    const handle = handles.get(number);
    if (handle === undefined) throw new ServiceError('EBADF', 'it is closed');
    if (what === 'close') {
      await handle.drained?.();
      // The module may have ended meanwhile.
      if (handles.delete(number)) handle.close();
      return null;
    }
    return handle.ask(what, args);
  }

  return {
    ask: (what, value) => inTurn(() => perform(what, readArgs(value))),
    isOpen: () => handles.size > 0,
    close() {
      closed = true;
      for (const handle of handles.values()) {
        try {
          handle.close();
        } catch {
          // It is unplugged, say; the others are closed all the same.
        }
      }
      handles.clear();
    },
  };
};

type UsableGrant = DeviceGrant & { readonly kind: DeviceKind };

/** By the very name: no path is resolved, so none leads elsewhere. */
function granted(devices: readonly DeviceGrant[], path: string): UsableGrant {
  const usable = devices.filter((device): device is UsableGrant => device.kind !== undefined);
  const grant = usable.find(({ target }) => target === path);
  if (grant !== undefined) return grant;
  const names = usable.map(({ target }) => target).join(', ');
  throw new ServiceError(
    'EACCES',
    `${path.slice(0, 256)} is not granted to this module; ${names === '' ? 'no device is' : `granted: ${names}`} (createOptions, HostConfig.Devices)`,
  );
}
