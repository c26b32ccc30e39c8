/** `NetworkMode`, `ExtraHosts`, `Dns` and the label `isolet.network`: what of the network a module may use. */
import { formatIp, parseIpAddress } from './ip-address.ts';
import { isJsonObject, type Json, type JsonObject } from './json.ts';
import { type ExtraHost, type NetworkGrant, noNetwork } from './network-grant.ts';
import { isHostName, readHostPorts } from './network-grant-text.ts';

/** Its value is a list of grants: `api.example.com:443, 192.168.1.20:502`. */
export const NETWORK_LABEL = 'isolet.network';

/** Docker's word for the machine itself, as in `host.docker.internal:host-gateway`. */
const GATEWAY = { word: 'host-gateway', address: '127.0.0.1' };

/**
 * Reads what the settings at `path` say about the network. Docker's networks have no meaning here: every
 * `NetworkMode` but "none" is the default one, and "host" opens nothing.
 */
export function readNetwork(options: JsonObject, path: string, problems: string[]): NetworkGrant {
  const host = isJsonObject(options['HostConfig']) ? options['HostConfig'] : {};
  const at = (name: string): string => `${path}.HostConfig.${name}`;
  const mode = host['NetworkMode'] ?? 'default';
  if (typeof mode !== 'string') {
    problems.push(
      `${at('NetworkMode')} must be "none" or the name of a network, it is ${JSON.stringify(mode)}`,
    );
  }
  const labels = isJsonObject(options['Labels']) ? options['Labels'] : {};
  const label = labels[NETWORK_LABEL] ?? undefined;
  const hosts =
    label === undefined ? [] : readLabel(label, `${path}.Labels["${NETWORK_LABEL}"]`, problems);
  const extraHosts = readExtraHosts(host['ExtraHosts'] ?? [], at('ExtraHosts'), problems);
  const nameServers = readNameServers(host['Dns'] ?? [], at('Dns'), problems);
  if (mode === 'none' || options['NetworkDisabled'] === true) return noNetwork;
  return { hosts, implicit: label === undefined, extraHosts, nameServers };
}

function readLabel(value: Json, at: string, problems: string[]): NetworkGrant['hosts'] {
  if (typeof value === 'string') return readHostPorts(value, at, problems);
  problems.push(`${at} must be text, as "api.example.com:443, 192.168.1.20:502"`);
  return [];
}

/** `["printer:192.168.1.9"]`, also with `=`, and IPv6 with or without brackets. */
function readExtraHosts(value: Json, at: string, problems: string[]): readonly ExtraHost[] {
  return readTexts(value, at, '"name:address"', problems).flatMap(([text, here]) => {
    const cut = text.search(/[:=]/);
    const name = text.slice(0, Math.max(0, cut)).toLowerCase().replace(/\.$/, '');
    const written = text.slice(cut + 1).replace(/^\[(.*)\]$/, '$1');
    const ip = parseIpAddress(written === GATEWAY.word ? GATEWAY.address : written);
    if (isHostName(name) && ip !== undefined && parseIpAddress(name) === undefined) {
      return [{ name, address: formatIp(ip) }];
    }
    problems.push(
      `${here} must be "name:address", the address an IPv4 or IPv6 one or "${GATEWAY.word}", it is ${JSON.stringify(text)}`,
    );
    return [];
  });
}

function readNameServers(value: Json, at: string, problems: string[]): readonly string[] {
  return readTexts(value, at, 'addresses of name servers', problems).flatMap(([text, here]) => {
    const ip = parseIpAddress(text);
    if (ip !== undefined) return [formatIp(ip)];
    problems.push(`${here} must be the address of a name server, it is ${JSON.stringify(text)}`);
    return [];
  });
}

function readTexts(
  value: Json,
  at: string,
  what: string,
  problems: string[],
): readonly (readonly [string, string])[] {
  if (!Array.isArray(value)) {
    problems.push(`${at} must be an array of ${what}`);
    return [];
  }
  return value.flatMap((text: Json, index): readonly (readonly [string, string])[] => {
    const here = `${at}[${index}]`;
    if (typeof text === 'string') return [[text, here]];
    problems.push(`${here} must be text, it is ${JSON.stringify(text)}`);
    return [];
  });
}
