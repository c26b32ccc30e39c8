/** `PortBindings` and `ExposedPorts`, checked for what no network has. */
import { isJsonObject, type Json } from './json.ts';

const PORT_MAX = 65_535;
const PROTOCOLS = new Set(['tcp', 'udp', 'sctp']);

/** `{"8080/tcp": [{"HostPort": "8080"}]}` */
export function checkPortBindings(value: Json, at: string, problems: string[]): void {
  checkPorts(value, at, problems, (bindings, here) => {
    if (bindings === null) return;
    if (!Array.isArray(bindings)) {
      problems.push(`${here} must be an array of {"HostPort": "8080"}`);
      return;
    }
    for (const [index, binding] of (bindings as readonly Json[]).entries()) {
      const port = isJsonObject(binding) ? binding['HostPort'] : undefined;
      // Docker: none, or an empty one, means any.
      if (isJsonObject(binding) && (port === undefined || port === null || port === '')) continue;
      if (isPort(port)) continue;
      problems.push(
        `${here}[${index}].HostPort must be a port from 1 to ${PORT_MAX} as text, it is ${JSON.stringify(port ?? null)}`,
      );
    }
  });
}

/** `{"8080/tcp": {}}` */
export function checkExposedPorts(value: Json, at: string, problems: string[]): void {
  checkPorts(value, at, problems, () => {});
}

function checkPorts(
  value: Json,
  at: string,
  problems: string[],
  check: (value: Json, at: string) => void,
): void {
  if (!isJsonObject(value)) {
    problems.push(`${at} must be an object of ports, as {"8080/tcp": …}`);
    return;
  }
  for (const [name, inner] of Object.entries(value)) {
    const [port, protocol = 'tcp', ...rest] = name.split('/');
    const here = `${at}[${JSON.stringify(name)}]`;
    if (!isPort(port) || !PROTOCOLS.has(protocol) || rest.length > 0) {
      problems.push(`${here}: a port is a number from 1 to ${PORT_MAX} and "/tcp" or "/udp"`);
    }
    check(inner, here);
  }
}

function isPort(value: Json | undefined): boolean {
  return typeof value === 'string' && /^[1-9]\d{0,4}$/.test(value) && Number(value) <= PORT_MAX;
}
