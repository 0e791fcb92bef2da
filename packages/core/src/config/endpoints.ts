import { isIP, isIPv4, isIPv6 } from 'node:net';
import { parseDomain } from '../domain.ts';
import { fault, type Parsed, value } from './parsed.ts';

/** `host[:port]` taken apart: an IPv6 address without its brackets, a name in lower case as A-labels; `port` null where none is given. */
export type Endpoint = Readonly<{ host: string; port: number | null; literal: boolean }>;

/** Reads `name`, `name:port`, `192.0.2.1:port`, `[2001:db8::1]` or `[2001:db8::1]:port`. */
export function parseEndpoint(text: string): Parsed<Endpoint> {
  const trimmed = text.trim();
  if (trimmed === '') return fault('is empty');
  if (isIPv6(trimmed)) return fault(`needs brackets, [${trimmed}]`);
  const match = /^(\[[^\]]*\]|[^:[\]]*)(?::(.*))?$/.exec(trimmed);
  if (match === null) return fault('is not host[:port]');
  const host = parseHost(match[1] ?? '');
  if (host.kind === 'fault') return host;
  if (match[2] === undefined) return value({ ...host.value, port: null });
  const port = parsePort(match[2]);
  if (port === null) return fault(`has the bad port ${match[2]} (1..65535 is right)`);
  return value({ ...host.value, port });
}

/** A socket to listen on, `address:port`; port 0 lets the system choose. */
export function parseListenAddress(text: string): Parsed<Readonly<{ host: string; port: number }>> {
  const [, address, digits] = /^(.*):(0)$/.exec(text.trim()) ?? [];
  // Port 0 is a wish here and a fault everywhere else.
  const endpoint = parseEndpoint(address !== undefined && digits !== undefined ? address : text);
  if (endpoint.kind === 'fault') return endpoint;
  const port = digits === undefined ? endpoint.value.port : 0;
  if (port === null) return fault('has no port');
  if (!endpoint.value.literal) return fault('names a host, not an address');
  return value({ host: endpoint.value.host, port });
}

/** A host name in lower case as A-labels, without a trailing dot. */
export function parseHostName(text: string): Parsed<string> {
  const domain = parseDomain(text.trim());
  if (domain.kind === 'bad' || domain.domain.startsWith('[')) return fault('is not a host name');
  return value(domain.domain);
}

/** An IP address in its canonical form; null when it is none. */
export function canonicalAddress(text: string): string | null {
  if (isIPv4(text)) return text;
  if (!isIPv6(text)) return null;
  // URL writes IPv6 as RFC 5952 wants it, but knows no zones.
  return text.includes('%') ? text.toLowerCase() : new URL(`http://[${text}]`).hostname.slice(1, -1);
}

function parseHost(text: string): Parsed<Readonly<{ host: string; literal: boolean }>> {
  const bracketed = text.startsWith('[');
  const inner = bracketed ? text.slice(1, -1) : text;
  if (bracketed && isIP(inner) === 0) return fault('has no address in its brackets');
  const address = canonicalAddress(inner);
  if (address !== null) return value({ host: address, literal: true });
  const name = parseHostName(inner);
  return name.kind === 'fault' ? name : value({ host: name.value, literal: false });
}

function parsePort(text: string): number | null {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65_535 ? port : null;
}
