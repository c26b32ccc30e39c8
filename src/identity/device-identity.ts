/** Who this device is at the hub, and how it proves it. */

export type DeviceIdentity = {
  /** The hub's host name, with `:port` when it is not the standard one. */
  readonly hostName: string;
  readonly deviceId: string;
  readonly proof: DeviceProof;
};

/** Secret, all but the certificate: never printed. */
export type DeviceProof =
  /** Base64 symmetric key. */
  | { readonly kind: 'key'; readonly key: string }
  /** PEM texts: the certificate, with what stands between it and its root; and its private key. */
  | { readonly kind: 'certificate'; readonly certificate: string; readonly privateKey: string };

/** Ids the hub accepts (spec/iothub.md §5.3). */
const ID = /^[A-Za-z0-9\-.%_#*?!(),:=@$'+]{1,128}$/;
const HOST = /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:\d{1,5})?$/;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
/** The clouds IoT Hub is in: there its ports are fixed. */
const AZURE = /\.azure-devices(-provisioning)?\.(net|cn|us|de)$/i;

export function isDeviceId(text: string): boolean {
  return ID.test(text);
}

export function isKey(text: string): boolean {
  return text.length % 4 === 0 && BASE64.test(text);
}

/** What is wrong with the name of a hub, as the end of a sentence; undefined = nothing. */
export function hostProblem(text: string): string | undefined {
  const [host = '', port] = text.split(':');
  const number = Number(port ?? 443);
  if (!HOST.test(text) || number < 1 || number > 65_535) {
    return 'must be a host name, like myhub.azure-devices.net';
  }
  return port !== undefined && AZURE.test(host)
    ? `must be without a port: write ${host}`
    : undefined;
}
