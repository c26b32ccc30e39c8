/** Paths of the hub's service REST (spec/iothub.md §5.2). */
const id = encodeURIComponent;

export const devicePath = (device: string): string => `/devices/${id(device)}`;

export const modulesPath = (device: string): string => `${devicePath(device)}/modules`;

export const identityPath = (device: string, module: string | undefined): string =>
  module === undefined ? devicePath(device) : `${modulesPath(device)}/${id(module)}`;

export const deploymentPath = (device: string): string =>
  `${devicePath(device)}/applyConfigurationContent`;

export const configurationPath = (configuration: string): string =>
  `/configurations/${id(configuration)}`;

export const twinPath = (device: string, module: string | undefined): string =>
  `/twins/${id(device)}${module === undefined ? '' : `/modules/${id(module)}`}`;

export const methodsPath = (device: string, module: string | undefined): string =>
  `${twinPath(device, module)}/methods`;
