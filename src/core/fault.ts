/**
 * What can go wrong outside our own code, and whose fault it is. `whose` decides what happens:
 * the operator's are reported and never retried, a guest's is given to the restart policy, the
 * world's is rested over. Anything that is not a Fault is a bug of ours and crashes the process.
 */

/** Every fault code, by whose fault it is. docs/faults.md explains each; a test keeps both in step. */
const faultCodes = {
  operator: [
    'CONFIG_INVALID', // the config file, or a command's options, cannot be used as they are
    'MANIFEST_INVALID', // the deployment's $edgeAgent or $edgeHub desired properties
    'ROUTE_INVALID', // one route of the deployment
    'IMAGE_INVALID', // settings.image is no reference we can fetch
    'NO_ROUTE', // a message no route of the deployment takes
    'BUNDLE_INVALID', // the bundle arrived but is not what the reference or the format promises
    'CREDENTIALS_REFUSED', // the hub knows us not, or not with this key
    'DATA_FOLDER_UNUSABLE', // cannot be made, written, or is used by another process
    'UPLOAD_REFUSED', // the container of a SAS URL does not take an upload, or the URL is none
    'PORT_TAKEN', // a port we were told to serve on is in use
  ],
  guest: [
    'MESSAGE_TOO_LARGE',
    'TWIN_INVALID', // a reported patch that breaks a twin limit
    'TOO_MANY_REQUESTS', // more requests without an answer than the module may have
    'KEPT_FULL', // a module keeps as much as it may
    'REQUEST_INVALID', // a request across the treaty that no SDK of ours would make
  ],
  world: [
    'UPSTREAM_AWAY',
    'UPSTREAM_REFUSED', // the hub answered, and said no for now (throttled, 5xx)
    'UPSTREAM_CUT', // the connection was lost soon after this was sent: perhaps because of it
    'DOWNLOAD_FAILED',
    'UPLOAD_FAILED', // a blob service cannot be reached, or has trouble of its own
    'ENDPOINT_AWAY', // the module is not running, or does not listen yet
    'ENDPOINT_CRASHED', // the module ended by itself with messages open
    'DISK_FULL',
    'STORE_FULL', // our own limit on waiting messages
    'STORE_DAMAGED',
    'TIMED_OUT',
  ],
} as const;

export type Whose = keyof typeof faultCodes;
export type FaultCode = (typeof faultCodes)[Whose][number];

const whoseByCode = new Map<string, Whose>(
  (Object.keys(faultCodes) as Whose[]).flatMap((whose) =>
    faultCodes[whose].map((code) => [code, whose] as const),
  ),
);

/** An expected failure. `message` is a sentence that names the thing and the remedy, free of secrets. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;
  readonly whose: Whose;

  constructor(code: FaultCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.code = code;
    this.whose = whoseByCode.get(code) as Whose;
  }
}

/** True for a fault that time may heal: whoever asked should rest and ask again. */
export function isOfTheWorld(cause: unknown): cause is Fault {
  return cause instanceof Fault && cause.whose === 'world';
}
