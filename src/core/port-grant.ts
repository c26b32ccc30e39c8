/** A port a module may serve on, and where the device's network sees it. */
export type PortGrant = {
  /** The port the module listens on. */
  readonly port: number;
  /** Nowhere when empty: the module may listen, and nobody reaches it. */
  readonly published: readonly PublishedPort[];
};

export type PublishedPort = {
  /** An address of the device; '' = all it has. */
  readonly ip: string;
  /** 0 = any that is free. */
  readonly port: number;
  /** The field of the deployment that publishes it. */
  readonly at: string;
};

/** Could only one of them be open at a time? */
export function collide(one: PublishedPort, other: PublishedPort): boolean {
  if (one.port !== other.port || one.port === 0) return false;
  return includes(one.ip, other.ip) || includes(other.ip, one.ip);
}

function includes(ip: string, other: string): boolean {
  if (ip === '' || ip === other) return true;
  if (other === '') return false;
  return ip === (other.includes(':') ? '::' : '0.0.0.0');
}
