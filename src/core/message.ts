/** Messages as the hub sees them, and where they go. */

/** A module's name as its deployment writes it; `$edgeAgent` and `$edgeHub` are the runtime's own. */
export type ModuleName = string;

/**
 * Where deliveries go: `$upstream`, or `<module>/<input>`. Endpoints are shared: two routes into the
 * same input use one queue (spec/iotedge.md §6.1).
 */
export type EndpointId = string;

export const UPSTREAM: EndpointId = '$upstream';

export type Properties = Readonly<Record<string, string>>;

export type Message = {
  /** Route source, e.g. `/messages/modules/filter/outputs/alerts` (spec/iotedge.md §6.2). */
  readonly source: string;
  /** The module whose identity the message carries upstream. */
  readonly sender: ModuleName;
  readonly body: Uint8Array;
  /** Application properties. */
  readonly properties: Properties;
  /** System properties under edgeHub's internal names: messageId, cid, contentType … (spec/iotedge.md §7.1). */
  readonly system: Properties;
};

/** Body and properties together may be this large on their way to the cloud (spec/iotedge.md §7.2). */
export const MESSAGE_BYTES_MAX = 262_144;

/** Between modules of one device it may be this large at most; a device may be set to less. */
export const LOCAL_MESSAGE_BYTES_MAX = 8_388_608;

/**
 * Size by IoT Edge's rule: body bytes plus the characters of all property names and values.
 * (spec/iotedge.md §7.2)
 */
export function messageSize(message: Message): number {
  let size = message.body.byteLength;
  for (const bag of [message.properties, message.system]) {
    for (const name in bag) size += name.length + (bag[name] as string).length;
  }
  return size;
}

/** The endpoint of one input of one module. */
export function inputEndpoint(module: ModuleName, input: string): EndpointId {
  return `${module}/${input}`;
}
