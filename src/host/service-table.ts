/** What of the device modules may use, by name. */
import type { ServiceTable } from './device-services.ts';

/** Imported when first asked for: a host whose modules use none does without. */
export const serviceTable: ServiceTable = {
  compression: async () => (await import('./compression-service.ts')).createCompressionService,
  crypto: async () => (await import('./crypto-service.ts')).createCryptoService,
  devices: async () => (await import('./devices/devices.ts')).makeDevices,
  files: async () => (await import('./file-service.ts')).createFileService,
  http: async () => (await import('./http-server-service.ts')).createHttpServerService,
  network: async () => (await import('./network-service.ts')).createNetworkService,
};
