/** What a module holds open, whatever kind it is of; and the words for what may go wrong with it. */

import type { DeviceGrant } from '../../core/device-grant.ts';
import type { Json } from '../../core/json.ts';
import { ServiceError } from '../device-services.ts';
import type { DeviceArgs } from './device-args.ts';
import type { DeviceLimits } from './device-limits.ts';

export type DeviceHandle = {
  ask(what: string, args: DeviceArgs): Json | Promise<Json>;
  /** What was sent is on its way out, or has had its time. */
  drained?(): Promise<void>;
  close(): void;
};

/** What makes one kind of handle. */
export type HandleDeps = {
  readonly grant: DeviceGrant;
  /** Tells the module that there is something to fetch; false = not now. */
  readonly signal: () => boolean;
  /** Keeps another handle that this one leads to. Throws EMFILE. */
  readonly keep: (make: (signal: () => boolean) => DeviceHandle) => number;
  readonly limits: DeviceLimits;
};

export function needs(right: 'readable' | 'writable', { grant }: HandleDeps, what: string): void {
  if (grant[right]) return;
  const rights = grant.readable ? 'r' : 'w';
  throw new ServiceError(
    'EACCES',
    `${grant.target} is granted with CgroupPermissions "${rights}", which does not let the module ${what} (${grant.at}): grant "rw"`,
  );
}

export function noSuchWord(what: string, { grant }: HandleDeps): ServiceError {
  return new ServiceError('EINVAL', `${grant.target} cannot do "${what.slice(0, 64)}"`);
}

/** What the kernel's refusals mean for somebody who wired a device to a board. */
const MEANINGS: Readonly<Record<string, string>> = {
  EACCES: 'the user the module hosts run as may not use it: see docs/devices.md, "Who may open it"',
  EPERM: 'the user the module hosts run as may not use it: see docs/devices.md, "Who may open it"',
  EBUSY: 'somebody else uses it, a driver or another program: stop that, or use another',
  EIO: 'the transfer failed: look at the wires, the power and the speed',
  ENODEV: 'it is not there any more: plug it in and open it again',
  ENOENT: 'it is not there any more: plug it in and open it again',
  ENXIO: 'nobody answers: look at the address, the wires and the power',
  ETIMEDOUT: 'it did not answer in time: look at the wires and the power',
  EMSGSIZE: 'the transfer is longer than the driver takes: send it in pieces',
  EINVAL: 'the device cannot do this: a mode, speed or line it does not have',
  EOPNOTSUPP: 'the adapter speaks SMBus only and knows no plain I2C transfers',
  ENOTTY: 'it is no device of this kind',
};

/** How the kernel's codes reach modules; drivers differ in how they say the same. */
const CODES: Readonly<Record<string, string>> = {
  EREMOTEIO: 'ENXIO',
  ENOENT: 'ENODEV',
  ERR_ACCESS_DENIED: 'EACCES',
};

/** An error of the kernel, told as the module's device. */
export function deviceError(cause: unknown, target: string): unknown {
  if (cause instanceof ServiceError) return cause;
  const told = (cause as { readonly code?: unknown } | null)?.code;
  if (typeof told !== 'string') return cause;
  const code = CODES[told] ?? told;
  return new ServiceError(code, `${target}: ${MEANINGS[code] ?? 'the kernel refused'}`);
}
