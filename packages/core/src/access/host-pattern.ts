import { isIP, isIPv4, isIPv6 } from 'node:net';
import { parseDomain } from '../domain.ts';

/** What one entry of a host access table matches (SPEC 6.2). `text` is what the operator wrote. */
export type HostPattern =
  | Readonly<{ kind: 'all'; text: string }>
  /** Addresses `first` to `last`, both included, as `addressNumber` counts them. */
  | Readonly<{ kind: 'addresses'; text: string; first: bigint; last: bigint }>
  /** A host of that name, in canonical form. */
  | Readonly<{ kind: 'name'; text: string; name: string }>
  /** `.domain`: hosts below that domain, not itself. `domain` has no dot in front. */
  | Readonly<{ kind: 'suffix'; text: string; domain: string }>;

export type ParsedHostPattern =
  | Readonly<{ kind: 'ok'; pattern: HostPattern }>
  | Readonly<{ kind: 'bad'; message: string }>;

/** All IPv4 addresses stand before all IPv6 addresses in one row of numbers, so that one index serves both. */
const V4_ADDRESSES = 1n << 32n;

/** The place of an address in that row. An IPv4 address written as IPv6 (`::ffff:192.0.2.1`) is an IPv4 address; a zone is left aside. null: no address. */
export function addressNumber(text: string): bigint | null {
  const bare = text.replace(/%.*$/s, '');
  if (isIPv4(bare)) return v4Number(bare);
  if (!isIPv6(bare)) return null;
  const number = v6Number(bare);
  return isMapped(number) ? number - MAPPED : V4_ADDRESSES + number;
}

/** How many addresses there are of each family. */
export const ADDRESSES = { v4: V4_ADDRESSES, v6: 1n << 128n } as const;

/** Parses one entry as an operator writes it. The message names the entry and what would be right. */
export function parseHostPattern(text: string): ParsedHostPattern {
  if (text.toUpperCase() === 'ALL') return { kind: 'ok', pattern: { kind: 'all', text } };
  if (text.includes('*')) return bad(text, 'there are no wildcards: write .domain, 192.168. or ALL');
  if (text.includes('@'))
    return bad(text, 'senders are not matched, only the hosts that connect: write an address or a name');
  if (text.startsWith('[')) return bad(text, 'write the address without brackets');
  if (text.includes('/')) return parseCidr(text);
  if (isIP(text) !== 0) return parseAddress(text);
  if (/^[\d.]+-[\d.]*$/.test(text)) return parseRange(text);
  if (/^[\d.]+$/.test(text)) return parsePartial(text);
  if (text.includes(':')) return bad(text, 'it is no IPv6 address, and a client has no port');
  return parseName(text);
}

const KINDS = 'an address, a network like 192.0.2.0/24, 192.0.2.1-9, 192.168., a host name, .domain or ALL';

function parseAddress(text: string): ParsedHostPattern {
  const number = text.includes('%') ? null : addressNumber(text);
  if (number === null) return bad(text, 'an address has no zone here');
  return addresses(text, number, number);
}

function parseCidr(text: string): ParsedHostPattern {
  const [address = '', prefix = '', ...rest] = text.split('/');
  const family = isIP(address);
  if (family === 0 || rest.length > 0 || address.includes('%'))
    return bad(text, 'expected address/prefix, like 192.0.2.0/24');
  const bits = family === 4 ? 32 : 128;
  const length = /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.POSITIVE_INFINITY;
  if (length > bits) return bad(text, `the prefix of an IPv${family} network is 0..${bits}`);
  const size = 1n << BigInt(bits - length);
  const number = family === 4 ? v4Number(address) : v6Number(address);
  const first = number - (number % size);
  if (first !== number)
    return bad(text, `it has bits behind its prefix: the network is ${printAddress(first, family)}/${length}`);
  const last = first + size - 1n;
  if (family === 4) return addresses(text, first, last);
  if (isMapped(first) && isMapped(last)) return addresses(text, first - MAPPED, last - MAPPED);
  return addresses(text, V4_ADDRESSES + first, V4_ADDRESSES + last);
}

/** `192.0.2.1-9`: the last number runs. */
function parseRange(text: string): ParsedHostPattern {
  const [address = '', end = ''] = text.split('-');
  const right = 'expected a range of the last number, like 192.0.2.1-9';
  if (!isIPv4(address) || !/^\d{1,3}$/.test(end)) return bad(text, right);
  const first = v4Number(address);
  const from = Number(first & 255n);
  const to = Number(end);
  if (to > 255) return bad(text, `${right}, up to 255`);
  if (to < from) return bad(text, `it ends before it begins: ${right}`);
  return addresses(text, first, first + BigInt(to - from));
}

/** `10.` or `192.168.`: everything that begins so. */
function parsePartial(text: string): ParsedHostPattern {
  const numbers = text.endsWith('.') ? text.slice(0, -1).split('.') : [];
  const isPartial = numbers.length >= 1 && numbers.length <= 3 && numbers.every(isOctet);
  if (!isPartial) return bad(text, 'expected a whole address, or its beginning up to a dot, like 10. or 192.168.');
  const free = BigInt(8 * (4 - numbers.length));
  const first = numbers.reduce((sum, octet) => (sum << 8n) | BigInt(octet), 0n) << free;
  return addresses(text, first, first + (1n << free) - 1n);
}

function parseName(text: string): ParsedHostPattern {
  const isSuffix = text.startsWith('.');
  const parsed = parseDomain(isSuffix ? text.slice(1) : text);
  if (parsed.kind === 'bad') return bad(text, `expected ${KINDS}`);
  const { domain } = parsed;
  return { kind: 'ok', pattern: isSuffix ? { kind: 'suffix', text, domain } : { kind: 'name', text, name: domain } };
}

/** What isIPv4 takes for one of the four numbers. */
function isOctet(text: string): boolean {
  return isIPv4(`${text}.0.0.0`);
}

function addresses(text: string, first: bigint, last: bigint): ParsedHostPattern {
  return { kind: 'ok', pattern: { kind: 'addresses', text, first, last } };
}

function bad(text: string, why: string): ParsedHostPattern {
  return { kind: 'bad', message: `${JSON.stringify(text)} is no host pattern: ${why}` };
}

function v4Number(address: string): bigint {
  return BigInt(address.split('.').reduce((sum, octet) => sum * 256 + Number(octet), 0));
}

function v6Number(address: string): bigint {
  // URL writes all forms as up to eight groups of hexadecimal digits, the longest row of zeros as `::`.
  const [head = '', tail] = new URL(`smtp://[${address}]`).hostname.slice(1, -1).split('::');
  const before = head === '' ? [] : head.split(':');
  const behind = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array<string>(8 - before.length - behind.length).fill('0');
  return [...before, ...zeros, ...behind].reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n);
}

/** RFC 4291 §2.5.5.2: `::ffff:0:0/96` are the addresses of IPv4. */
const MAPPED = 0xffffn << 32n;

function isMapped(number: bigint): boolean {
  return number >= MAPPED && number < MAPPED + V4_ADDRESSES;
}

function printAddress(number: bigint, family: number): string {
  const groups = (bits: bigint, count: number): bigint[] =>
    Array.from({ length: count }, (_, i) => (number >> (bits * BigInt(count - 1 - i))) & ((1n << bits) - 1n));
  if (family === 4) return groups(8n, 4).join('.');
  const written = groups(16n, 8)
    .map((group) => group.toString(16))
    .join(':');
  return new URL(`smtp://[${written}]`).hostname.slice(1, -1);
}
