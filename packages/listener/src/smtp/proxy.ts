/** The PROXY protocol, versions 1 and 2, as a server reads it (haproxy.org, proxy-protocol.txt). Pure. */
import { isIPv4, isIPv6 } from 'node:net';

/** The client for whom a proxy speaks; null: for itself, or for somebody whose address it does not tell. */
export type ProxiedClient = Readonly<{ address: string; port: number }> | null;

export type ProxyHeader =
  | Readonly<{ kind: 'header'; client: ProxiedClient; rest: Buffer }>
  /** So far it is a header, but not all of it. */
  | Readonly<{ kind: 'more' }>
  | Readonly<{ kind: 'bad'; why: string }>;

const MORE: ProxyHeader = { kind: 'more' };
/** §2.1, with the line end. */
const MAX_LINE = 107;
const LINE_BEGIN = Buffer.from('PROXY ');
/** §2.2: what no protocol that is spoken on the internet begins with. */
const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');
const FIXED_OCTETS = 16;
/** Addresses and what may follow them, of which nobody sends this much. */
const MAX_LENGTH = 4_096;

/** Reads the header that a connection begins with. `octets`: all that came so far. */
export function readProxyHeader(octets: Buffer): ProxyHeader {
  if (begins(octets, SIGNATURE)) return octets.length < FIXED_OCTETS ? MORE : readBinary(octets);
  if (begins(octets, LINE_BEGIN)) return readLine(octets);
  return bad('the connection does not begin with a PROXY header');
}

function begins(octets: Buffer, wanted: Buffer): boolean {
  const length = Math.min(octets.length, wanted.length);
  return octets.subarray(0, length).equals(wanted.subarray(0, length));
}

function readLine(octets: Buffer): ProxyHeader {
  const end = octets.subarray(0, MAX_LINE).indexOf('\r\n');
  if (end < 0) return octets.length < MAX_LINE ? MORE : bad(`the PROXY line has more than ${MAX_LINE} octets`);
  const rest = octets.subarray(end + 2);
  const [, family, ...fields] = octets.toString('latin1', 0, end).split(' ');
  // What follows UNKNOWN is not looked at (§2.1).
  if (family === 'UNKNOWN') return { kind: 'header', client: null, rest };
  const [source = '', destination = '', sourcePort = '', destinationPort = ''] = fields;
  const isAddress = family === 'TCP4' ? isIPv4 : isPlainIPv6;
  const isRight =
    (family === 'TCP4' || family === 'TCP6') &&
    fields.length === 4 &&
    isAddress(source) &&
    isAddress(destination) &&
    isPort(sourcePort) &&
    isPort(destinationPort);
  if (!isRight) return bad('the PROXY line is malformed');
  return { kind: 'header', client: { address: canonical(source), port: Number(sourcePort) }, rest };
}

/** A zone says which link of the proxy's an address is on, and nothing here. */
function isPlainIPv6(text: string): boolean {
  return isIPv6(text) && !text.includes('%');
}

function isPort(text: string): boolean {
  return /^(?:0|[1-9]\d{0,4})$/.test(text) && Number(text) <= 65_535;
}

/** Octets of the addresses and ports, by the family and protocol that the header names. */
const TCP4 = { code: 0x11, octets: 12 };
const TCP6 = { code: 0x21, octets: 36 };

function readBinary(octets: Buffer): ProxyHeader {
  const [versionAndCommand = 0, family = 0] = octets.subarray(12);
  const length = octets.readUInt16BE(14);
  if (versionAndCommand >> 4 !== 2) return bad('the PROXY header has an unknown version');
  const command = versionAndCommand & 15;
  if (command > 1) return bad('the PROXY header has an unknown command');
  if (length > MAX_LENGTH) return bad(`the PROXY header has more than ${MAX_LENGTH} octets`);
  const needed = family === TCP4.code ? TCP4 : TCP6;
  const isLocal = command === 0;
  // UNSPEC is as good as LOCAL (§2.2); a socket of the proxy's own machine, or a datagram, is no mail client.
  if (!isLocal && family !== needed.code && family !== 0) return bad('the PROXY header tells no TCP address');
  if (!isLocal && family !== 0 && length < needed.octets) return bad('the PROXY header is too short');
  if (octets.length < FIXED_OCTETS + length) return MORE;
  const rest = octets.subarray(FIXED_OCTETS + length);
  if (isLocal || family === 0) return { kind: 'header', client: null, rest };
  return { kind: 'header', client: addressIn(octets.subarray(FIXED_OCTETS), needed === TCP4), rest };
}

function addressIn(octets: Buffer, isV4: boolean): ProxiedClient {
  if (isV4) return { address: octets.subarray(0, 4).join('.'), port: octets.readUInt16BE(8) };
  const groups = Array.from({ length: 8 }, (_, index) => octets.readUInt16BE(index * 2).toString(16));
  return { address: canonical(groups.join(':')), port: octets.readUInt16BE(32) };
}

/** As RFC 5952 writes it; an IPv4 address inside an IPv6 one is the IPv4 address. */
function canonical(address: string): string {
  if (isIPv4(address)) return address;
  const written = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [, high, low] = /^::ffff:([\da-f]{1,4}):([\da-f]{1,4})$/.exec(written) ?? [];
  if (high === undefined || low === undefined) return written;
  const octets = [high, low].flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]);
  return octets.join('.');
}

function bad(why: string): ProxyHeader {
  return { kind: 'bad', why };
}
