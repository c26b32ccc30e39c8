/** Paths at a hub, for code that talks to its REST API by itself (spec/iothub.md §5). */

export const apiVersion = '2021-04-12';
export const versionQueryString = (): string => `?api-version=${apiVersion}`;

export const devicePath = (device: string): string => `/devices/${device}`;
export const deviceEventPath = (device: string): string => `${devicePath(device)}/messages/events`;
export const deviceMessagePath = (device: string): string =>
  `${devicePath(device)}/messages/devicebound`;
export const deviceMethodPath = (device: string): string =>
  `${devicePath(device)}/methods/devicebound`;
export const deviceTwinPath = (device: string): string => `${devicePath(device)}/twin`;
export const deviceFeedbackPath = (device: string, lockToken: string): string =>
  `${deviceMessagePath(device)}/${lockToken}`;
export const deviceBlobUploadPath = (device: string): string => `${devicePath(device)}/files`;
export const deviceBlobUploadNotificationPath = (device: string, correlationId: string): string =>
  `${deviceBlobUploadPath(device)}/notifications/${encodeURIComponent(correlationId)}`;

export const modulePath = (device: string, module: string): string =>
  `${devicePath(device)}/modules/${module}`;
export const moduleEventPath = (device: string, module: string): string =>
  `${modulePath(device, module)}/messages/events`;
/** The same place: a module’s messages come and go there. */
export const moduleMessagePath = (device: string, module: string): string =>
  moduleEventPath(device, module);
export const moduleMethodPath = (device: string, module: string): string =>
  `${modulePath(device, module)}/methods/devicebound`;
export const moduleTwinPath = (device: string, module: string): string =>
  `${modulePath(device, module)}/twin`;
export const moduleInputMessagePath = (device: string, module: string): string =>
  `${modulePath(device, module)}/inputs`;
