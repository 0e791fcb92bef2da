import { type Hop, hostPort, oneLine, parseEndpoint, parseRecipient, type Recipient } from '@callahead/core';
import type { DirectoryEntry } from './directory-connection.ts';

/** What the entries say in one attribute: its value, nothing, or something that cannot be used. */
export type Reading<T> =
  | Readonly<{ kind: 'value'; value: T }>
  | Readonly<{ kind: 'none' }>
  | Readonly<{ kind: 'refused'; refusal: Refusal }>;

/** Which entry says what cannot be used, fit for a log line. */
export type Refusal = Readonly<{ dn: string; attribute: string; value: string; reason: string }>;

/** A mail host may be a list, and this is more than any list of one. */
const MAX_HOSTS = 100;

/** Hosts as `host[:port]`, separated by commas, in one or more values of each entry (SPEC 5.2). */
export function readHosts(entries: readonly DirectoryEntry[], attribute: string): Reading<readonly Hop[]> {
  return agree(entries, attribute, (values) => {
    // The values of an attribute have no order: sorted, the same hosts are the same destination whatever order they come in.
    const elements = values.toSorted().flatMap((value) => value.split(','));
    const hosts = elements.map((element) => element.trim()).filter((element) => element !== '');
    if (hosts.length > MAX_HOSTS) return fault(`${hosts.length} hosts`, `expected at most ${MAX_HOSTS}`);
    const hops = new Map<string, Hop>();
    for (const host of hosts) {
      const endpoint = parseEndpoint(host);
      if (endpoint.kind === 'fault') return fault(host, `${endpoint.why}: expected host[:port]`);
      const { host: name, port, literal } = endpoint.value;
      const portFrom = port === null ? 'default' : 'ldap';
      hops.set(port === null ? name : hostPort(name, port), { name, port, portFrom, lookup: literal ? 'none' : 'mx' });
    }
    return found([...hops.keys()].join(','), [...hops.values()]);
  });
}

/** The address that takes the recipient's place (SPEC 5.2). */
export function readAddress(entries: readonly DirectoryEntry[], attribute: string): Reading<Recipient> {
  return agree(entries, attribute, (values) => {
    const [first = '', ...others] = values;
    if (others.length > 0) return fault(values.join(', '), 'expected one address');
    const parsed = parseRecipient(first.trim(), { smtpUtf8: true });
    if (parsed.kind === 'ok') return found(parsed.recipient.address, parsed.recipient);
    return fault(first, 'is not an address: expected user@domain');
  });
}

/** `print` is equal for what is the same. */
type Read<T> =
  | Readonly<{ kind: 'found'; print: string; value: T }>
  | Readonly<{ kind: 'fault'; value: string; reason: string }>;

/** What all entries that have the attribute say in it; one without it has no opinion. */
function agree<T>(
  entries: readonly DirectoryEntry[],
  attribute: string,
  read: (values: readonly string[]) => Read<T>,
): Reading<T> {
  let agreed: Readonly<{ dn: string; print: string; value: T }> | null = null;
  for (const { dn, values } of entries) {
    const written = (values.get(attribute.toLowerCase()) ?? []).filter((value) => value.trim() !== '');
    if (written.length === 0) continue;
    const said = read(written);
    if (said.kind === 'fault') return refuse(dn, attribute, said.value, said.reason);
    if (agreed !== null && agreed.print !== said.print)
      return refuse(dn, attribute, said.print, `disagrees with ${agreed.dn}, which says ${agreed.print}`);
    agreed ??= { dn, print: said.print, value: said.value };
  }
  return agreed === null ? { kind: 'none' } : { kind: 'value', value: agreed.value };
}

function found<T>(print: string, value: T): Read<T> {
  return { kind: 'found', print, value };
}

function fault(value: string, reason: string): Read<never> {
  return { kind: 'fault', value, reason };
}

function refuse(dn: string, attribute: string, value: string, reason: string): Reading<never> {
  return {
    kind: 'refused',
    refusal: { dn: oneLine(dn), attribute, value: oneLine(value), reason: oneLine(reason) },
  };
}
