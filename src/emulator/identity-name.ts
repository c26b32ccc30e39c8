/** Who somebody is at the hub: a device, or a module of a device. */

export type IdentityName = {
  readonly device: string;
  /** '' for the device itself. */
  readonly module: string;
};

/** The documented characters and length of device and module ids (spec/iothub.md §5.3). */
const ID = /^[A-Za-z0-9\-._%#*?!(),:=@$'+]{1,128}$/;

export function isValidId(id: string): boolean {
  return ID.test(id);
}

/** A key for maps, and the MQTT client id. Ids hold no slash, so it is unambiguous. */
export function identityKey(name: IdentityName): string {
  return name.module === '' ? name.device : `${name.device}/${name.module}`;
}
