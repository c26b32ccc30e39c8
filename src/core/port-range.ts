/** Ranges of ports as people write them: `8080`, `1024-65535`. */
import { PORT_MAX } from './network-grant.ts';

/** Both ends included. */
export type PortRange = { readonly first: number; readonly last: number };

/** What a program without rights may open; a port that is left to the kernel may be any of them. */
export const FREE_PORTS: PortRange = { first: 1_024, last: PORT_MAX };

/** Undefined when it is none. */
export function readPortRange(text: string): PortRange | undefined {
  const match = /^([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?$/.exec(text);
  if (match === null) return undefined;
  const first = Number(match[1]);
  const last = Number(match[2] ?? match[1]);
  return first <= last && last <= PORT_MAX ? { first, last } : undefined;
}

export function formatPortRange({ first, last }: PortRange): string {
  return first === last ? `${first}` : `${first}-${last}`;
}
