/** `HostConfig.PortBindings` and `ExposedPorts`: the ports a module may serve on. */
import { isJsonObject, type Json } from './json.ts';
import { collide, type PortGrant, type PublishedPort } from './port-grant.ts';

const PORT_MAX = 65_535;
const PROTOCOLS = new Set(['tcp', 'udp', 'sctp']);

export type PortsRead = {
  readonly ports: readonly PortGrant[];
  /** Those of protocols a module cannot serve, as `["53/udp"]`. */
  readonly others: readonly string[];
};

/** `{"8080/tcp": [{"HostIp": "0.0.0.0", "HostPort": "80"}]}` */
export function readPortBindings(value: Json, at: string, problems: string[]): PortsRead {
  const read = readPorts(value, at, problems, (bindings, here) => {
    if (bindings === null) return [];
    if (Array.isArray(bindings)) {
      return bindings.flatMap((one: Json, index) =>
        readBinding(one, `${here}[${index}]`, problems),
      );
    }
    problems.push(`${here} must be an array of {"HostPort": "8080"}`);
    return [];
  });
  const seen: PublishedPort[] = [];
  for (const one of read.ports.flatMap(({ published }) => published)) {
    const twin = seen.find((other) => collide(one, other));
    if (twin !== undefined) {
      problems.push(`${one.at}: port ${one.port} is given to ${twin.at} already: take another`);
    }
    seen.push(one);
  }
  return read;
}

/** `{"8080/tcp": {}}`: published nowhere, as in Docker. */
export function readExposedPorts(value: Json, at: string, problems: string[]): PortsRead {
  return readPorts(value, at, problems, () => []);
}

/** Each port once, with all places it is published at. */
export function joinPorts(
  some: readonly PortGrant[],
  more: readonly PortGrant[],
): readonly PortGrant[] {
  const byPort = new Map<number, readonly PublishedPort[]>();
  for (const { port, published } of [...some, ...more]) {
    byPort.set(port, [...(byPort.get(port) ?? []), ...published]);
  }
  return [...byPort].map(([port, published]) => ({ port, published }));
}

function readPorts(
  value: Json,
  at: string,
  problems: string[],
  read: (value: Json, at: string) => readonly PublishedPort[],
): PortsRead {
  const ports: PortGrant[] = [];
  const others: string[] = [];
  if (!isJsonObject(value)) {
    problems.push(`${at} must be an object of ports, as {"8080/tcp": …}`);
    return { ports, others };
  }
  for (const [name, inner] of Object.entries(value)) {
    const [port, protocol = 'tcp', ...rest] = name.split('/');
    const key = `[${JSON.stringify(name)}]`;
    const published = read(inner, `${at}${key}`);
    if (!isPort(port) || !PROTOCOLS.has(protocol) || rest.length > 0) {
      problems.push(`${at}${key}: a port is a number from 1 to ${PORT_MAX} and "/tcp" or "/udp"`);
    } else if (protocol === 'tcp') {
      ports.push({ port: Number(port), published });
    } else {
      others.push(key);
    }
  }
  return { ports: joinPorts([], ports), others };
}

function readBinding(binding: Json, at: string, problems: string[]): readonly PublishedPort[] {
  const { HostIp: ip, HostPort: port } = isJsonObject(binding)
    ? binding
    : { HostIp: '', HostPort: false };
  // Docker: none, or an empty one, means any.
  const isAny = port === undefined || port === null || port === '';
  if (!isAny && !isPort(port)) {
    problems.push(
      `${at}.HostPort must be a port from 1 to ${PORT_MAX} as text, it is ${JSON.stringify(port ?? null)}`,
    );
    return [];
  }
  if (!(ip === undefined || ip === null || ip === '' || isAddress(ip))) {
    problems.push(
      `${at}.HostIp must be an address of the device as "0.0.0.0", it is ${JSON.stringify(ip)}`,
    );
    return [];
  }
  return [{ ip: ip ?? '', port: isAny ? 0 : Number(port), at }];
}

function isPort(value: Json | undefined): boolean {
  return typeof value === 'string' && /^[1-9]\d{0,4}$/.test(value) && Number(value) <= PORT_MAX;
}

/** By its shape; whether the device has it is seen at the start. */
function isAddress(value: Json): value is string {
  return (
    typeof value === 'string' && /^(?:\d{1,3}(?:\.\d{1,3}){3}|[\da-f]*:[\da-f:.]+)$/i.test(value)
  );
}
