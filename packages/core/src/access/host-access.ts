import type { Reply } from '../verdict.ts';
import { addressNumber, type HostPattern } from './host-pattern.ts';

/** What a client whose recipients too often do not exist is told (SPEC 6.3). `limit`: recipients an hour; null: as many as it likes. */
export type HarvestProtection = Readonly<{
  limit: number | null;
  reply: Reply;
  disconnect: boolean;
  /** Clients whose addresses share so many bits are counted as one. */
  prefixV4: number;
  prefixV6: number;
  counts: readonly ('rat' | 'unknown' | 'refused')[];
  /** Are recipients of the null sender counted too? */
  nullSender: boolean;
}>;

/** What a group of clients may do (SPEC 6.2). A number that is null has no limit. */
export type Policy = Readonly<{
  name: string;
  /** `relay`: accepted for any recipient, unasked; `refuse`: closed without a banner. */
  action: 'accept' | 'reject' | 'relay' | 'refuse';
  /** Said in place of the text that `reject` has. */
  response: Reply | null;
  maxConnectionsPerHost: number | null;
  maxMessagesPerConnection: number | null;
  maxRecipientsPerMessage: number | null;
  maxRecipientsPerHour: number | null;
  harvest: HarvestProtection;
  bypassCallAhead: boolean;
  tls: 'off' | 'optional' | 'required';
}>;

/** The group that a client belongs to, the entry by which it does, as written, and what it may do; decided once a session. */
export type Admission = Readonly<{ group: string; entry: string; policy: Policy }>;

/** A client of the front door. `address` is literal: behind a trusted proxy the one that the proxy tells. */
export type Client = Readonly<{ address: string; admission: Admission }>;

/** Nobody in particular is refused anything: what a public listener without host access does. */
export const EVERYBODY: Admission = {
  group: '',
  entry: '',
  policy: {
    name: '',
    action: 'accept',
    response: null,
    maxConnectionsPerHost: null,
    maxMessagesPerConnection: null,
    maxRecipientsPerMessage: null,
    maxRecipientsPerHour: null,
    harvest: {
      limit: null,
      reply: { code: 450, enhanced: '4.7.1', text: 'Too many invalid recipients' },
      disconnect: true,
      prefixV4: 32,
      prefixV6: 64,
      counts: ['rat', 'unknown'],
      nullSender: true,
    },
    bypassCallAhead: false,
    tls: 'optional',
  },
};

/** The verified names of a client: reverse DNS says them, and each leads back to the address. Lower case, A-labels, no trailing dot. Never rejects, and ends in bounded time; where nobody knows, there is none. */
export type NamesOf = (address: string) => Promise<readonly string[]>;

/** A host access table, compiled: the same time for one address as for a hundred thousand. */
export type HostAccess = Readonly<{
  /**
   * What a client, by its literal address, may do: by the first entry in table order that matches it; EVERYBODY where none does. The client's names
   * are asked for, and the answer is a promise, only where an entry with a name stands before the first one that matches the address.
   */
  decide(address: string, namesOf: NamesOf): Admission | Promise<Admission>;
  /** The most sessions at once that it lets any client have; null: some may have any number. */
  maxConnectionsPerHost: number | null;
}>;

/** A sender group as configured. */
export type SenderGroup = Readonly<{ name: string; patterns: readonly HostPattern[]; policy: Policy }>;

/** Compiles a table. */
export function compileHostAccess(groups: readonly SenderGroup[]): HostAccess {
  const entries = groups.flatMap(({ name, patterns, policy }) =>
    patterns.map((pattern) => ({ pattern, admission: { group: name, entry: pattern.text, policy } })),
  );
  const patterns = entries.map(({ pattern }) => pattern);
  const placeOfAddress = indexAddresses(patterns);
  const names = indexNames(patterns);
  const all = patterns.findIndex(({ kind }) => kind === 'all');
  const placeOfAll = all === -1 ? NONE : all;
  const most = Math.max(...groups.map(({ policy }) => policy.maxConnectionsPerHost ?? NONE), all === -1 ? NONE : 0);
  const admissionAt = (place: number): Admission => entries[place]?.admission ?? EVERYBODY;

  return {
    maxConnectionsPerHost: most === NONE ? null : most,
    decide(address, namesOf) {
      const number = addressNumber(address);
      const place = Math.min(placeOfAll, number === null ? NONE : placeOfAddress(number));
      if (names.first >= place) return admissionAt(place);
      return namesOf(address).then((found) => admissionAt(Math.min(place, ...found.map(names.placeOf))));
    },
  };
}

/** Behind every place in a table. */
const NONE = Number.POSITIVE_INFINITY;

/** The first place at which the table matches an address. All boundaries of its ranges cut the row of addresses into cells; each cell belongs to the first range over it. */
function indexAddresses(patterns: readonly HostPattern[]): (number: bigint) => number {
  const ranges = patterns.flatMap((pattern, place) => (pattern.kind === 'addresses' ? [{ ...pattern, place }] : []));
  const boundaries = new Set(ranges.flatMap(({ first, last }) => [first, last + 1n]));
  const starts = [...boundaries].sort((a, b) => (a < b ? -1 : 1));
  const owners = new Array<number>(starts.length).fill(NONE);
  // For each cell the next one that may be without an owner: so every cell is given away once, however many ranges lie over it.
  const free = Uint32Array.from({ length: starts.length + 1 }, (_, cell) => cell);

  function nextFree(cell: number): number {
    let at = cell;
    while (free[at] !== at) {
      const next = free[free[at] ?? at] ?? at;
      free[at] = next;
      at = next;
    }
    return at;
  }

  for (const { first, last, place } of ranges) {
    const end = cellOf(starts, last);
    for (let cell = nextFree(cellOf(starts, first)); cell <= end; cell = nextFree(cell)) {
      owners[cell] = place;
      free[cell] = cell + 1;
    }
  }
  return (number) => owners[cellOf(starts, number)] ?? NONE;
}

/** The last of `starts` that is not behind `number`; -1 where all are. */
function cellOf(starts: readonly bigint[], number: bigint): number {
  let low = 0;
  let high = starts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? number) <= number) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

type NameIndex = Readonly<{
  /** Of the first entry with a name. */
  first: number;
  placeOf(name: string): number;
}>;

function indexNames(patterns: readonly HostPattern[]): NameIndex {
  const places = new Map<string, number>();
  let first = NONE;
  for (const [place, pattern] of patterns.entries()) {
    if (pattern.kind !== 'name' && pattern.kind !== 'suffix') continue;
    const key = pattern.kind === 'name' ? pattern.name : `.${pattern.domain}`;
    if (!places.has(key)) places.set(key, place);
    first = Math.min(first, place);
  }
  return {
    first,
    placeOf(name) {
      let place = places.get(name) ?? NONE;
      for (let dot = name.indexOf('.'); dot !== -1; dot = name.indexOf('.', dot + 1)) {
        place = Math.min(place, places.get(name.slice(dot)) ?? NONE);
      }
      return place;
    },
  };
}
