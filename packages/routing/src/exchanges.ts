import { by } from './deadline.ts';
import type { Answer, Dns, DnsRecord } from './dns.ts';
import { canonicalAddress, type Exchange, isReserved, type Us, withoutLoop } from './targets.ts';

/** What a name led to: exchanges in preference order, equal ones by name, each with its usable addresses, perhaps none; or why nothing may be connected to. */
export type Listed =
  | Readonly<{ kind: 'listed'; exchanges: readonly Exchange[]; expiresAtMs: number }>
  | Readonly<{ kind: 'none'; cause: 'dns' | 'no-route' | 'loop' | 'overload'; detail: string; expiresAtMs: number }>;

/** What the look-ups need. `written`: names that the operator wrote, whose addresses may be reserved ones (SPEC 5.7). */
export type Rules = Readonly<{
  dns: Dns;
  us: Us;
  port: number;
  allowReserved: boolean;
  written: ReadonlySet<string>;
  now: () => number;
}>;

/** At most so many addresses, and so many names looked up for them (SPEC 5.6). */
const MAX_ADDRESSES = 20;
/** Some name servers never answer for AAAA: what A found does not wait for them (RFC 8305 §3). */
const AAAA_PATIENCE_MS = 500;
/** When names that nobody could look up are tried again, where the list has others. */
export const RETRY_MS = 5_000;
const HOST_NAME = /^(?=.{1,253}$)[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?(?:\.[a-z\d_](?:[a-z\d_-]{0,61}[a-z\d_])?)*$/;

/** The exchanges of MX records, a null MX among them aside. A name that cannot be a host's is dropped, an address in its place is taken as one. */
export function exchangesOf(records: readonly DnsRecord[]): readonly Exchange[] {
  const best = new Map<string, number>();
  for (const { preference, value } of records) {
    const name = value.toLowerCase().replace(/\.$/, '');
    const host = canonicalAddress(name) ?? name;
    if (canonicalAddress(host) === null && !HOST_NAME.test(host)) continue;
    best.set(host, Math.min(preference, best.get(host) ?? preference));
  }
  return [...best]
    .map(([name, preference]) => ({ name, preference, addresses: [] }))
    .sort((a, b) => a.preference - b.preference || compare(a.name, b.name));
}

/** Looks up the addresses of an MX list and drops what may not be connected to (SPEC 5.7). `expiresAtMs` is the list's own and never grows. */
export async function locate(list: readonly Exchange[], expiresAtMs: number, rules: Rules): Promise<Listed> {
  const names = withoutLoop(list, rules.port, rules.us).slice(0, MAX_ADDRESSES);
  const answers = await Promise.all(names.map((entry) => addressesOf(entry.name, rules)));
  const retryAtMs = rules.now() + RETRY_MS;
  const until = Math.min(
    expiresAtMs,
    ...answers.map((each) => (each.kind === 'failed' ? retryAtMs : each.expiresAtMs)),
  );
  const found = names.map((entry, i) => ({ ...entry, addresses: addressesIn(answers[i]) }));
  const others = withoutLoop(found, rules.port, rules.us);
  if (others.length === 0) return { kind: 'none', cause: 'loop', detail: loopDetail(list), expiresAtMs: until };
  const exchanges = usable(others, rules);
  if (exchanges.some((entry) => entry.addresses.length > 0)) return { kind: 'listed', exchanges, expiresAtMs: until };
  const failure = answers.find((answer) => answer.kind === 'failed');
  if (failure?.kind === 'failed')
    return { kind: 'none', cause: causeOf(failure), detail: failure.detail, expiresAtMs: rules.now() };
  return { kind: 'none', ...whyNothing(others), expiresAtMs: until };
}

/** A and AAAA as one answer, IPv4 first: a machine without IPv6 should not begin with what it cannot reach. */
export async function addressesOf(name: string, rules: Pick<Rules, 'dns' | 'now'>): Promise<Answer> {
  if (canonicalAddress(name) !== null)
    return { kind: 'found', records: [{ preference: 0, value: name }], expiresAtMs: Number.POSITIVE_INFINITY };
  const asked = Promise.resolve(rules.dns.look('AAAA', name));
  const four = await rules.dns.look('A', name);
  // RFC 8020: no such name is no such name for every type.
  if (four.kind === 'none' && four.why === 'nxdomain') return four;
  const late = (): Answer => ({ kind: 'failed', why: 'timeout', detail: `no answer to AAAA ${name}` });
  const six = four.kind === 'found' ? await by(asked, rules.now() + AAAA_PATIENCE_MS, rules.now, late) : await asked;
  if (four.kind === 'found' && six.kind === 'found')
    return {
      kind: 'found',
      records: [...four.records, ...six.records],
      expiresAtMs: Math.min(four.expiresAtMs, six.expiresAtMs),
    };
  if (four.kind === 'found') return four;
  if (six.kind === 'found' || four.kind === 'none') return six;
  return four;
}

function addressesIn(answer: Answer | undefined): readonly string[] {
  if (answer?.kind !== 'found') return [];
  const addresses = answer.records.map((record) => canonicalAddress(record.value));
  return [...new Set(addresses.filter((address) => address !== null))];
}

/** Without reserved addresses, and cut to the most that are tried. Sorted, so that the DNS turning its answers round changes nothing. */
function usable(list: readonly Exchange[], rules: Rules): readonly Exchange[] {
  let room = MAX_ADDRESSES;
  return list.map((entry) => {
    const free = rules.allowReserved || rules.written.has(entry.name);
    const addresses = entry.addresses
      .filter((address) => free || !isReserved(address))
      .sort((a, b) => Number(a.includes(':')) - Number(b.includes(':')) || compare(a, b))
      .slice(0, room);
    room -= addresses.length;
    return { ...entry, addresses };
  });
}

/** What a recipient is told of a look-up that failed. */
export function causeOf(answer: Extract<Answer, { kind: 'failed' }>): 'dns' | 'overload' {
  return answer.why === 'busy' ? 'overload' : 'dns';
}

function whyNothing(list: readonly Exchange[]): Readonly<{ cause: 'dns' | 'no-route'; detail: string }> {
  const names = list.map((entry) => entry.name).join(', ');
  if (list.some((entry) => entry.addresses.length > 0))
    return { cause: 'no-route', detail: `${names}: every address is reserved` };
  return { cause: 'dns', detail: `${names}: no address` };
}

function loopDetail(list: readonly Exchange[]): string {
  return `${list.map((entry) => entry.name).join(', ')}: the best of them is this gateway`;
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
