/** Are the devices a module was granted there, what they are called, and open to whom the host runs as? */
import { constants, existsSync, promises, readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import type { DeviceGrant, DeviceKind } from '../core/device-grant.ts';
import { localRealPath } from './local-real-path.ts';

/** A granted device the kernel has, of a kind modules can use. */
export type LinuxDevice = DeviceGrant & { readonly kind: DeviceKind };

export function linuxDevices(devices: readonly DeviceGrant[]): readonly LinuxDevice[] {
  return devices.filter(
    (device): device is LinuxDevice => device.kind !== undefined && device.simulated === undefined,
  );
}

/** The kernel's name for the kind, and the group that most systems give its devices to. */
const KINDS: Readonly<
  Record<DeviceKind, { readonly subsystem: string; readonly name: string; readonly group: string }>
> = {
  i2c: { subsystem: 'i2c-dev', name: 'I2C bus', group: 'i2c' },
  spi: { subsystem: 'spidev', name: 'SPI device', group: 'spi' },
  gpio: { subsystem: 'gpio', name: 'GPIO chip', group: 'gpio' },
  serial: { subsystem: 'tty', name: 'serial port', group: 'dialout' },
};

/** What the supervisor sees; it may look everywhere. */
export function absentDevices(devices: readonly DeviceGrant[]): readonly string[] {
  return devices.flatMap((device): readonly string[] => {
    const { path, at, kind, simulated } = device;
    if (simulated !== undefined) return [];
    if (!existsSync(path)) {
      return [`${at}: ${path} is not on this device: connect it, or correct the path`];
    }
    if (kind === undefined) return [];
    const told = subsystemOf(path);
    if (told === undefined || told === KINDS[kind].subsystem) return [];
    return [
      `${at}: ${path} is no ${KINDS[kind].name}, the kernel calls it ${told}: correct the path`,
    ];
  });
}

/** Undefined where the kernel does not say: a pseudo-terminal, or no /sys. */
function subsystemOf(path: string): string | undefined {
  const { rdev } = statSync(path);
  // makedev(3): the numbers are interleaved.
  const major = ((rdev >>> 8) & 0xfff) | (Math.floor(rdev / 2 ** 32) & ~0xfff);
  const minor = (rdev & 0xff) | ((rdev >>> 12) & 0xfffff00);
  try {
    return basename(readlinkSync(`/sys/dev/char/${major}:${minor}/subsystem`));
  } catch {
    return undefined;
  }
}

/** Asked in the host, which is who opens them; before the module's code runs. */
export async function closedDevices(devices: readonly DeviceGrant[]): Promise<readonly string[]> {
  const problems = await Promise.all(linuxDevices(devices).map(closedDevice));
  return problems.filter((problem) => problem !== undefined);
}

async function closedDevice({ path, at, kind }: LinuxDevice): Promise<string | undefined> {
  try {
    await promises.access(path, constants.R_OK | constants.W_OK);
    return undefined;
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const { group } = KINDS[kind];
    return `${at}: ${path} may not be used by the user the module hosts run as (number ${process.getuid?.()}; ${code}): give it to a group (${group}, by a udev rule), and when isolet is not started as root add its user to that group (docs/devices.md)`;
  }
}

/**
 * What a host must have got at its start for these devices: the files their names lead to now (a port
 * may come back under another number), and their groups.
 */
export function deviceRights(devices: readonly DeviceGrant[]): readonly string[] {
  const paths = linuxDevices(devices).map(({ path }) => localRealPath(path));
  return [...paths, ...deviceGroups(devices).map((group) => `group ${group}`)];
}

const GROUP_RIGHTS = 0o060;

/**
 * The groups through which these devices can be opened, root's excepted: a host that gives up being
 * root keeps them. A device that is not there has none; its module is refused anyway.
 */
export function deviceGroups(devices: readonly DeviceGrant[]): readonly number[] {
  const groups = linuxDevices(devices).flatMap(({ path }) => {
    const stat = statSync(path, { throwIfNoEntry: false });
    const open = stat !== undefined && (stat.mode & GROUP_RIGHTS) === GROUP_RIGHTS;
    return open && stat.gid !== 0 && stat.isCharacterDevice() ? [stat.gid] : [];
  });
  return [...new Set(groups)].toSorted((a, b) => a - b);
}
