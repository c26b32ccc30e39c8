/** Stands in for the npm package `azure-iot-device`: what a module can use of it. */
import { ConnectionString } from './connection-string.ts';
import { Client } from './device-client.ts';
import { Message } from './message.ts';
import { DeviceMethodRequest, DeviceMethodResponse } from './methods.ts';
import { ModuleClient } from './module-client.ts';
import { Twin } from './twin.ts';

/** The SDK's string for the hub's records; nobody reads it here. */
function getUserAgentString(
  productInfoOrDone: string | ((text: string) => void),
  done?: (text: string) => void,
): void {
  const callback = typeof productInfoOrDone === 'function' ? productInfoOrDone : done;
  const info = typeof productInfoOrDone === 'string' ? productInfoOrDone : '';
  callback?.(`isolet (node ${process.version})${info}`);
}

export type { MethodHandler } from './link.ts';
export type { MethodParams, MethodResult } from './module-client.ts';
export type { TwinProperties } from './twin.ts';
export {
  Client,
  ConnectionString,
  DeviceMethodRequest,
  DeviceMethodResponse,
  getUserAgentString,
  Message,
  ModuleClient,
  Twin,
};
// oxlint-disable-next-line import/no-default-export -- modules write `import pkg from`
export default {
  Client,
  ConnectionString,
  DeviceMethodRequest,
  DeviceMethodResponse,
  getUserAgentString,
  Message,
  ModuleClient,
  Twin,
};
