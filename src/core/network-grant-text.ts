/** Reads network grants as people write them, `host:port`, with all problems and what to write instead. */
import { firstOf, formatIp, parseIpBlock } from './ip-address.ts';
import { type HostPort, PORT_MAX } from './network-grant.ts';

/** Grants of one module; each connection is compared with all. */
const GRANTS_MAX = 256;

/** A list separated by commas or spaces. `at` is where it stands. */
export function readHostPorts(text: string, at: string, problems: string[]): readonly HostPort[] {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '');
  if (parts.length > GRANTS_MAX) {
    problems.push(
      `${at} has ${parts.length} grants, ${GRANTS_MAX} is the most: use a wildcard or a block of addresses`,
    );
    return [];
  }
  return parts.flatMap((part): readonly HostPort[] => {
    const grant = parseHostPort(part);
    if (typeof grant !== 'string') return [grant];
    problems.push(`${at}: ${JSON.stringify(part)} ${grant}`);
    return [];
  });
}

/** One grant, or what is wrong with it and how to write it. */
export function parseHostPort(text: string): HostPort | string {
  if (text.includes('://')) {
    return 'is a URL, and a grant is a host and a port: write it as "api.example.com:443"';
  }
  // `[fd00::]/8:80` and `[fd00::/8]:80` alike.
  const match =
    /^\[([^\]]*)\](\/\d+)?:([^:]*)$/.exec(text) ?? /^([^:[\]]*)()(?::([^:]*))?$/.exec(text);
  if (match === null) {
    return 'is no host and port: write it as "api.example.com:443", an IPv6 address as "[fd00::1]:443"';
  }
  const [, inside = '', length = '', portText] = match;
  const written = `${inside}${length}`;
  const host = text.startsWith('[') ? readAddresses(written) : readHost(written);
  if (typeof host !== 'string') return host.problem;
  const ports = readPorts(portText);
  if (ports === undefined) {
    return `needs a port from 1 to ${PORT_MAX}: write it as "${written}:443", a range as ":8000-8010", every port as ":*"`;
  }
  return { host, ...ports };
}

type Problem = { readonly problem: string };

function readHost(text: string): string | Problem {
  if (text === '*') return text;
  const name = text.toLowerCase().replace(/\.$/, '');
  const last = name.slice(name.lastIndexOf('.') + 1);
  if (name.includes('/') || /^(\d+|0x[0-9a-f]*)$/.test(last)) return readAddresses(text);
  if (/[^\0-\x7f]/.test(name)) {
    return { problem: 'is not ASCII: write the name in its "xn--" form, as a browser sends it' };
  }
  const plain = name.replace(/^\*\./, '');
  if (plain.includes('*')) {
    return { problem: 'has a "*" where none can be: write "*" or "*.example.com"' };
  }
  if (!isHostName(plain)) return { problem: 'has no host name: write it as "api.example.com:443"' };
  return name;
}

/** Names and labels as DNS has them (RFC 1035 §2.3.4), with the underscores of local networks. */
export function isHostName(name: string): boolean {
  return (
    name.length <= 253 &&
    name.split('.').every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/.test(label))
  );
}

function readAddresses(text: string): string | Problem {
  const block = parseIpBlock(text);
  if (block === undefined) {
    return { problem: 'has no address: write it as "192.168.1.20:502" or "192.168.0.0/16:502"' };
  }
  const first = firstOf(block);
  if (first.value === block.value) return formatIp(first);
  return {
    problem: `names one address and a block: write "${formatIp(first)}", or the address alone`,
  };
}

function readPorts(text: string | undefined): Pick<HostPort, 'firstPort' | 'lastPort'> | undefined {
  if (text === '*') return { firstPort: 1, lastPort: PORT_MAX };
  const match = /^([1-9]\d{0,4})(?:-([1-9]\d{0,4}))?$/.exec(text ?? '');
  if (match === null) return undefined;
  const firstPort = Number(match[1]);
  const lastPort = Number(match[2] ?? match[1]);
  return firstPort <= lastPort && lastPort <= PORT_MAX ? { firstPort, lastPort } : undefined;
}
