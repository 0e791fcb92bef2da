import { z } from 'zod';
import { compileHostAccess, type HostAccess, type Policy, type SenderGroup } from '../access/host-access.ts';
import { ADDRESSES, type HostPattern, parseHostPattern } from '../access/host-pattern.ts';
import { openToHosts } from '../access/open-relay.ts';
import { errorAt, type Fault, warningAt } from './faults.ts';
import { about, expecting, list, named, section, text } from './fields.ts';
import { value } from './parsed.ts';
import { isPlain, keysOf, type Plain } from './plain.ts';
import { actionIn, buildPolicy, policies } from './policies.ts';
import type { Path } from './positions.ts';
import { checkReference } from './references.ts';

const patternWords = 'an address, address/prefix, 192.0.2.1-9, 192.168., a host name, .domain or ALL';
const matchWords = `${patternWords}, or a list of them`;

const pattern = z.string(expecting(patternWords)).transform((input, context): HostPattern => {
  const parsed = parseHostPattern(input.trim());
  if (parsed.kind === 'ok') return parsed.pattern;
  context.addIssue({ code: 'custom', input, message: parsed.message });
  return z.NEVER;
});

const group = section(
  {
    name: text(value<string>, 'a name', 'The name of the group, in the log.'),
    match: list(
      pattern.meta(about(patternWords, 'A pattern.')),
      matchWords,
      'The clients of the group. Names are those of reverse DNS which lead back to the address.',
    ),
    policy: text(value<string>, 'the name of a policy', 'What they may do: a policy of this table.'),
  },
  'A group of clients.',
);

const table = section(
  {
    senderGroups: z
      .array(group, expecting('a list of groups {name, match, policy}'))
      .meta(about('a list of groups', 'Who clients are; the first group that matches decides.')),
    policies,
  },
  'A host access table.',
);

type TableInput = z.output<typeof table>;

export const hostAccess = named(table, 'Which clients may do what, by name; a listener names one table.');

/** A table whose references were checked. */
export function buildHostAccess(input: TableInput): HostAccess {
  const built = new Map(Object.entries(input.policies).map(([name, policy]) => [name, buildPolicy(name, policy)]));
  return compileHostAccess(input.senderGroups.map((each) => buildGroup(each, built)));
}

function buildGroup(input: z.output<typeof group>, built: ReadonlyMap<string, Policy>): SenderGroup {
  const policy = built.get(input.policy);
  // The reference was checked: whoever comes here without a policy has broken that check, not the file.
  if (policy === undefined) throw new TypeError(`sender group ${input.name} has no policy`);
  return { name: input.name, patterns: input.match, policy };
}

/** What groups and policies need from each other, and what of a table is never reached or leaves somebody out. */
export function checkHostAccess(root: Plain): readonly Fault[] {
  return keysOf(root, 'hostAccess').flatMap(([name, written]) => {
    const path = ['hostAccess', name];
    const groups = groupsIn(path, written);
    return [
      ...groups.flatMap(({ path: at, written: each }) =>
        checkReference(written, 'policies', [...at, 'policy'], each.policy),
      ),
      ...checkNames(groups),
      ...checkReach(groups),
      ...checkRest(root, name, groups),
      ...keysOf(written, 'policies').flatMap(([policy, settings]) =>
        checkPolicy([...path, 'policies', policy], settings, isUsed(policy, groups)),
      ),
    ];
  });
}

/** A group as it stands in the file; the patterns of it that are right. */
type Group = Readonly<{ path: Path; written: Plain; patterns: readonly HostPattern[] }>;

function groupsIn(path: Path, written: Plain): readonly Group[] {
  const groups: readonly unknown[] = Array.isArray(written.senderGroups) ? written.senderGroups : [];
  return groups.flatMap((each, index) => {
    if (!isPlain(each)) return [];
    const match: readonly unknown[] = Array.isArray(each.match) ? each.match : [each.match];
    const patterns = match.flatMap((one) => {
      const parsed = typeof one === 'string' ? parseHostPattern(one.trim()) : null;
      return parsed?.kind === 'ok' ? [parsed.pattern] : [];
    });
    return [{ path: [...path, 'senderGroups', index], written: each, patterns }];
  });
}

function isUsed(policy: string, groups: readonly Group[]): boolean {
  return groups.some(({ written }) => written.policy === policy);
}

function checkNames(groups: readonly Group[]): readonly Fault[] {
  const names = new Set<unknown>();
  return groups.flatMap(({ path, written }) => {
    if (typeof written.name !== 'string') return [];
    const isTaken = names.has(written.name);
    names.add(written.name);
    const message = `${JSON.stringify(written.name)} is the name of another group: expected a name of its own`;
    return isTaken ? [errorAt([...path, 'name'], message)] : [];
  });
}

/** Nothing behind an ALL is ever reached. */
function checkReach(groups: readonly Group[]): readonly Fault[] {
  const all = groups.findIndex(({ patterns }) => patterns.some(({ kind }) => kind === 'all'));
  const [at, ...behind] = all === -1 ? [] : groups.slice(all);
  if (at === undefined) return [];
  const last = at.patterns.at(-1);
  const inside =
    last === undefined || last.kind === 'all'
      ? []
      : [
          warningAt(
            [...at.path, 'match'],
            `${last.text} is never reached, for it stands behind ALL: expected ALL last`,
          ),
        ];
  const unreached = behind.map(({ path, patterns }) =>
    warningAt(
      [...path, 'match'],
      `${patterns[0]?.text ?? 'this group'} is never reached, for ALL stands before it: expected ALL last`,
    ),
  );
  return [...inside, ...unreached];
}

/** Somebody whom no group matches. */
function checkRest(root: Plain, table: string, groups: readonly Group[]): readonly Fault[] {
  const patterns = groups.flatMap((each) => each.patterns);
  if (patterns.some(({ kind }) => kind === 'all') || coversBothFamilies(patterns)) return [];
  const users = keysOf(root, 'listeners').filter(([, listener]) => listener.hostAccess === table);
  const isPrivate = users.length > 0 && users.every(([, listener]) => listener.type === 'private');
  const then = isPrivate ? 'is rejected at RCPT' : "is accepted without a policy's limits";
  const message = `no group matches ALL, and whom none matches ${then}: expected a last group with match: ALL`;
  return [warningAt(['hostAccess', table, 'senderGroups'], message)];
}

function coversBothFamilies(patterns: readonly HostPattern[]): boolean {
  const covers = (from: bigint, to: bigint): boolean =>
    patterns.some((each) => each.kind === 'addresses' && each.first === from && each.last === to - 1n);
  return covers(0n, ADDRESSES.v4) && covers(ADDRESSES.v4, ADDRESSES.v4 + ADDRESSES.v6);
}

function checkPolicy(path: Path, settings: Plain, used: boolean): readonly Fault[] {
  const faults: Fault[] = used ? [] : [{ ...warningAt(path, 'no sender group names this policy'), blame: 'key' }];
  const action = settings.action ?? 'accept';
  if ((settings.response ?? null) !== null && action !== 'reject') {
    const message = `not allowed with action ${action}: expected it with action reject only`;
    faults.push({ ...errorAt([...path, 'response'], message), blame: 'key' });
  }
  const most = settings.maxRecipientsPerMessage;
  // RFC 5321 §4.5.3.1.8: a server that takes fewer than 100 breaks senders that count on it.
  if (typeof most === 'number' && most >= 1 && most < 100) {
    const message = `${most} is less than the 100 of RFC 5321 section 4.5.3.1.8`;
    faults.push(warningAt([...path, 'maxRecipientsPerMessage'], message));
  }
  return faults;
}

/** The first entry by which a table lets everybody relay; null where none does. */
export function openHostIn(root: Plain, name: string): string | null {
  const written = keysOf(root, 'hostAccess').find(([each]) => each === name)?.[1];
  if (written === undefined) return null;
  const actions = new Map(keysOf(written, 'policies').map(([policy, settings]) => [policy, actionIn(settings)]));
  return openToHosts(
    groupsIn([], written).map((each) => ({
      action: actions.get(String(each.written.policy)) ?? 'accept',
      patterns: each.patterns,
    })),
  );
}
