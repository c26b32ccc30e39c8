/** Stands in for the npm package `azure-iot-device`: what a module can use of it. */
import {
  IotEdgeAuthenticationProvider,
  SharedAccessKeyAuthenticationProvider,
  SharedAccessSignatureAuthenticationProvider,
  X509AuthenticationProvider,
} from './authentication-providers.ts';
import * as connectionStrings from './connection-string.ts';
import { Client } from './device-client.ts';
import { Message } from './message.ts';
import { DeviceMethodRequest, DeviceMethodResponse } from './methods.ts';
import { ModuleClient } from './module-client.ts';
import * as signatures from './shared-access-signature.ts';
import { Twin } from './twin.ts';

/* oxlint-disable typescript/unbound-method -- none of them needs a `this` */
/** Here these two are plain objects; azure-iot-common has classes of the same names. */
const { parse, createWithSharedAccessKey, createWithX509Certificate } =
  connectionStrings.ConnectionString;
const ConnectionString = { parse, createWithSharedAccessKey, createWithX509Certificate };
const SharedAccessSignature = {
  create: signatures.SharedAccessSignature.create,
  parse: signatures.SharedAccessSignature.parse,
};
/* oxlint-enable typescript/unbound-method */

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
  IotEdgeAuthenticationProvider,
  Message,
  ModuleClient,
  SharedAccessKeyAuthenticationProvider,
  SharedAccessSignature,
  SharedAccessSignatureAuthenticationProvider,
  Twin,
  X509AuthenticationProvider,
};
// oxlint-disable-next-line import/no-default-export -- modules write `import pkg from`
export default {
  Client,
  ConnectionString,
  DeviceMethodRequest,
  DeviceMethodResponse,
  getUserAgentString,
  IotEdgeAuthenticationProvider,
  Message,
  ModuleClient,
  SharedAccessKeyAuthenticationProvider,
  SharedAccessSignature,
  SharedAccessSignatureAuthenticationProvider,
  Twin,
  X509AuthenticationProvider,
};
