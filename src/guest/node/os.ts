/** Stands in for `node:os`: what is true of a module's surroundings, and nothing more. */
import { takeSeam } from '../seam.ts';

const { boot } = takeSeam();

export const EOL = '\n';
export const devNull = '/dev/null';
export const hostname = (): string => boot.env['IOTEDGE_GATEWAYHOSTNAME'] ?? boot.device;
export const platform = (): 'linux' => 'linux';
export const type = (): string => 'Linux';
export const arch = (): string | undefined => boot.arch;
export const machine = (): string | undefined => (boot.arch === 'arm64' ? 'aarch64' : boot.arch);
/** Both processors we run on are little-endian. */
export const endianness = (): 'LE' => 'LE';
/** A module has one thread, whatever the device has. */
export const availableParallelism = (): number => 1;
/** Unknown, as Node says it where it cannot see them. */
export const cpus = (): object[] => [];
export const loadavg = (): number[] => [0, 0, 0];
/** It has none of its own. */
export const networkInterfaces = (): object => ({});
export const uptime = (): number => process.uptime();
export const homedir = (): string => process.env['HOME'] ?? '/';
export const tmpdir = (): string => process.env['TMPDIR'] ?? '/tmp';
/** Nobody in particular: an isolate makes no system calls. */
export const userInfo = (): object => ({
  uid: -1,
  gid: -1,
  username: process.env['USER'] ?? boot.module,
  homedir: homedir(),
  shell: null,
});
export const constants = Object.freeze({ signals: Object.freeze({}), errno: Object.freeze({}) });

// oxlint-disable-next-line import/no-default-export -- modules write `import os from`
export default {
  arch,
  availableParallelism,
  constants,
  cpus,
  devNull,
  endianness,
  EOL,
  homedir,
  hostname,
  loadavg,
  machine,
  networkInterfaces,
  platform,
  tmpdir,
  type,
  uptime,
  userInfo,
};
