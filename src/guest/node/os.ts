/** Stands in for `node:os`: what is true of a module's surroundings, and nothing more. */
import { takeSeam } from '../seam.ts';

const { boot } = takeSeam();

export const EOL = '\n';
export const hostname = (): string => boot.env['IOTEDGE_GATEWAYHOSTNAME'] ?? boot.device;
export const platform = (): 'linux' => 'linux';
export const type = (): string => 'Linux';
export const arch = (): string | undefined => boot.arch;
/** Both processors we run on are little-endian. */
export const endianness = (): 'LE' => 'LE';

// oxlint-disable-next-line import/no-default-export -- modules write `import os from`
export default { arch, endianness, EOL, hostname, platform, type };
