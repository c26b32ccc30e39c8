/**
 * IP addresses and blocks of them as text means them, and which of them are the public internet. Only the
 * one strict form of an IPv4 address is taken: `0177.0.0.1` and `2130706433` are somebody's trick.
 */

export type IpAddress = { readonly family: 4 | 6; readonly value: bigint };

/** All addresses whose first `bits` bits are those of `value`. */
export type IpBlock = IpAddress & { readonly bits: number };

const BITS = { 4: 32, 6: 128 } as const;

/** Undefined = it is none. IPv6 comes without brackets, and never with a zone (`fe80::1%eth0`). */
export function parseIpAddress(text: string): IpAddress | undefined {
  const family = text.includes(':') ? 6 : 4;
  const value = family === 6 ? parseIpv6(text) : parseIpv4(text);
  return value === undefined ? undefined : { family, value };
}

/** `10.0.0.0/8`, or an address: a block of one. Undefined = it is none. */
export function parseIpBlock(text: string): IpBlock | undefined {
  const [first = '', length, ...rest] = text.split('/');
  const address = parseIpAddress(first);
  if (address === undefined || rest.length > 0) return undefined;
  const most = BITS[address.family];
  if (length === undefined) return { ...address, bits: most };
  if (!/^(0|[1-9]\d{0,2})$/.test(length) || Number(length) > most) return undefined;
  return { ...address, bits: Number(length) };
}

/** The block with zeros where its addresses differ: `192.168.1.5/16` → `192.168.0.0/16`. */
export function firstOf(block: IpBlock): IpBlock {
  const rest = BigInt(BITS[block.family] - block.bits);
  return { ...block, value: (block.value >> rest) << rest };
}

/** Is all of `inner` in `outer`? An IPv4 address is never in an IPv6 block, `::ffff:…` included. */
export function contains(outer: IpBlock, inner: IpBlock | IpAddress): boolean {
  const innerBits = 'bits' in inner ? inner.bits : BITS[inner.family];
  if (outer.family !== inner.family || outer.bits > innerBits) return false;
  const rest = BigInt(BITS[outer.family] - outer.bits);
  return outer.value >> rest === inner.value >> rest;
}

/** An IPv4 or IPv6 address in its usual form (RFC 5952), a block with its length behind. */
export function formatIp(address: IpAddress | IpBlock): string {
  const text = address.family === 4 ? formatIpv4(address.value) : formatIpv6(address.value);
  const whole = !('bits' in address) || address.bits === BITS[address.family];
  return whole ? text : `${text}/${address.bits}`;
}

/**
 * What an address is, in a word; 'public' is the internet. From IANA's special-purpose registries; all
 * IPv6 outside 2000::/3 is special, which takes in NAT64, unique local and IPv4-mapped addresses.
 */
export function kindOf(address: IpAddress): string {
  const special = specialBlocks.find(({ block }) => contains(block, address));
  if (special !== undefined) return special.kind;
  return address.family === 4 || contains(globalUnicast, address) ? 'public' : 'reserved';
}

/** Is every address of the block public? */
export function isPublicBlock(block: IpBlock): boolean {
  const apart = specialBlocks.every((one) => !overlaps(one.block, block));
  return apart && (block.family === 4 || contains(globalUnicast, block));
}

function overlaps(a: IpBlock, b: IpBlock): boolean {
  return contains(a, b) || contains(b, a);
}

function parseIpv4(text: string): bigint | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(text);
  if (match === null) return undefined;
  let value = 0n;
  for (const part of match.slice(1)) {
    if (Number(part) > 255 || (part.length > 1 && part.startsWith('0'))) return undefined;
    value = value * 256n + BigInt(part);
  }
  return value;
}

function parseIpv6(text: string): bigint | undefined {
  const halves = withoutDots(text)?.split('::');
  if (halves === undefined || halves.length > 2) return undefined;
  const [head, tail] = halves.map((half) => (half === '' ? [] : half.split(':')));
  const groups = [...(head ?? []), ...(tail ?? [])];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  const missing = 8 - groups.length;
  // `::` stands for one group of zeros at least.
  if (tail === undefined ? missing !== 0 : missing < 1) return undefined;
  const all = [...(head ?? []), ...Array.from({ length: missing }, () => '0'), ...(tail ?? [])];
  return all.reduce((value, group) => value * 65_536n + BigInt(`0x${group}`), 0n);
}

/** The last 32 bits may be written as an IPv4 address. */
function withoutDots(text: string): string | undefined {
  if (!text.includes('.')) return text;
  const cut = text.lastIndexOf(':') + 1;
  const last = parseIpv4(text.slice(cut));
  if (last === undefined) return undefined;
  return `${text.slice(0, cut)}${(last >> 16n).toString(16)}:${(last & 0xffffn).toString(16)}`;
}

function formatIpv4(value: bigint): string {
  return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
}

function formatIpv6(value: bigint): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    ((value >> BigInt(112 - 16 * index)) & 0xffffn).toString(16),
  ).join(':');
  // The longest run of two zeros or more, the first of several, becomes `::`.
  const runs = [...groups.matchAll(/\b0(?::0)+\b/g)];
  const longest = runs.reduce<RegExpExecArray | undefined>(
    (best, run) => (run[0].length > (best?.[0].length ?? 0) ? run : best),
    undefined,
  );
  if (longest === undefined) return groups;
  const end = longest.index + longest[0].length;
  const head = groups.slice(0, longest.index).replace(/:$/, '');
  return `${head}::${groups.slice(end).replace(/^:/, '')}`;
}

function block(text: string): IpBlock {
  return parseIpBlock(text) as IpBlock;
}

const globalUnicast = block('2000::/3');

const specialBlocks = (
  [
    ['unspecified', '0.0.0.0/8 ::/128'],
    ['private', '10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 fc00::/7'],
    ['shared (carrier NAT)', '100.64.0.0/10'],
    ['loopback', '127.0.0.0/8 ::1/128'],
    ['link-local', '169.254.0.0/16 fe80::/10'],
    ['reserved', '192.0.0.0/24 192.88.99.0/24 198.18.0.0/15 240.0.0.0/4 2001::/23'],
    ['documentation', '192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20'],
    ['multicast', '224.0.0.0/4 ff00::/8'],
    ['an IPv4 address in disguise', '::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 2002::/16'],
    // Azure's own address inside its virtual machines: metadata and keys, not the internet.
    ["Azure's platform", '168.63.129.16/32'],
  ] as const
).flatMap(([kind, texts]) => texts.split(' ').map((text) => ({ kind, block: block(text) })));
