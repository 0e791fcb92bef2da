import { isIP, isIPv4 } from 'node:net';

/** What is us (SPEC 5.7). Names in lower case, addresses canonical; `sockets` are our listeners', `machine` every address of this machine. */
export type Us = Readonly<{
  names: ReadonlySet<string>;
  addresses: ReadonlySet<string>;
  sockets: readonly Readonly<{ host: string; port: number }>[];
  machine: ReadonlySet<string>;
}>;

/** One entry of an MX list with the addresses its name has, or a domain without MX as the one entry of its implicit list (RFC 5321 §5.1). */
export type Exchange = Readonly<{ name: string; preference: number; addresses: readonly string[] }>;

/** The one spelling of an address that is compared: IPv6 compressed, in lower case, without its zone. null: not an address. */
export function canonicalAddress(text: string): string | null {
  const bare = text.replace(/%.*$/s, '');
  if (isIP(bare) === 0) return null;
  if (isIPv4(bare)) return bare;
  return new URL(`smtp://[${bare}]`).hostname.slice(1, -1);
}

/** Does the address lie in loopback, link-local, unspecified, multicast or v4-mapped space (SPEC 5.7)? What is no address is reserved too. */
export function isReserved(address: string): boolean {
  const canonical = canonicalAddress(address);
  if (canonical === null) return true;
  if (isIPv4(canonical)) return isReservedV4(canonical);
  const groups = groupsOf(canonical);
  const [first = 0] = groups;
  const leadingZeros = groups.findIndex((group) => group !== 0);
  return (
    leadingZeros === -1 ||
    (leadingZeros === 7 && groups[7] === 1) ||
    (leadingZeros === 5 && groups[5] === 0xffff) ||
    (first & 0xffc0) === 0xfe80 ||
    (first & 0xff00) === 0xff00
  );
}

/** The list without our own entry and without all entries of equal or worse preference: mail only ever moves towards better ones (RFC 5321 §5.1). */
export function withoutLoop<Entry extends Exchange>(list: readonly Entry[], port: number, us: Us): readonly Entry[] {
  const own = list.filter(
    (entry) => us.names.has(entry.name) || entry.addresses.some((address) => isOurs(address, port, us)),
  );
  const limit = Math.min(...own.map((entry) => entry.preference));
  return list.filter((entry) => entry.preference < limit);
}

/** Would a connection to this address and port reach one of our listeners, or an address that `self` calls ours on any port? */
export function isOurs(address: string, port: number, us: Us): boolean {
  const plain = unmapped(address);
  if (plain === null) return false;
  if (us.addresses.has(plain)) return true;
  return us.sockets.some((socket) => socket.port === port && covers(socket.host, plain, us.machine));
}

const EVERY_ADDRESS: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

function covers(host: string, address: string, machine: ReadonlySet<string>): boolean {
  const bound = unmapped(host);
  if (bound === null) return false;
  if (bound === address) return true;
  // Every loopback address is the machine's, and the kernel takes a connection to the unspecified address for one to loopback.
  return EVERY_ADDRESS.has(bound) && (machine.has(address) || isLoopback(address) || EVERY_ADDRESS.has(address));
}

function isLoopback(address: string): boolean {
  return address === '::1' || (isIPv4(address) && address.startsWith('127.'));
}

/** Canonical, and a v4-mapped address as the IPv4 address it reaches. */
function unmapped(address: string): string | null {
  const canonical = canonicalAddress(address);
  if (canonical === null || !canonical.startsWith('::ffff:')) return canonical;
  const groups = groupsOf(canonical);
  const [high = 0, low = 0] = groups.slice(6);
  if (groups[5] !== 0xffff) return canonical;
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}

function isReservedV4(address: string): boolean {
  const [first = 0, second = 0] = address.split('.').map(Number);
  // 0/8 is "this network" (RFC 1122 §3.2.1.3), no destination; 224/4 multicast.
  return first === 0 || first === 127 || (first === 169 && second === 254) || (first & 0xf0) === 0xe0;
}

/** The eight numbers of a canonical IPv6 address. */
function groupsOf(canonical: string): readonly number[] {
  const [head = '', tail = ''] = canonical.split('::');
  const left = numbers(head);
  const right = numbers(tail);
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
}

function numbers(text: string): readonly number[] {
  return text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
}
