/** Paths of the hub's service REST (spec/iothub.md §5.2). */
const id = encodeURIComponent;

export const devicePath = (device: string): string => `/devices/${id(device)}`;

export const deploymentPath = (device: string): string =>
  `${devicePath(device)}/applyConfigurationContent`;

export const twinPath = (device: string, module: string | undefined): string =>
  `/twins/${id(device)}${module === undefined ? '' : `/modules/${id(module)}`}`;

export const methodsPath = (device: string, module: string | undefined): string =>
  `${twinPath(device, module)}/methods`;
