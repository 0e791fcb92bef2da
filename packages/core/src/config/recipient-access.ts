import { z } from 'zod';
import { type AccessPattern, parseAccessPattern } from '../access/access-pattern.ts';
import { openRelay } from '../access/open-relay.ts';
import { type AccessEntry, compileRecipientAccess, type RecipientAccess } from '../access/recipient-access.ts';
import type { Problem } from '../errors.ts';
import type { Profile } from '../profile.ts';
import { errorAt, type Fault } from './faults.ts';
import { about, choice, expecting, flag, list, named, section, text } from './fields.ts';
import { value } from './parsed.ts';
import { isPlain, type Plain } from './plain.ts';
import type { Path } from './positions.ts';
import { checkReference } from './references.ts';
import { response, withEnhanced } from './replies.ts';
import type { Tables } from './tables.ts';

const patternWords = 'user@domain, domain, .domain, user@, user@[ip] or ALL';

const pattern = z.string(expecting(patternWords)).transform((input, context): AccessPattern => {
  const parsed = parseAccessPattern(input);
  if (parsed.kind === 'ok') return parsed.pattern;
  context.addIssue({ code: 'custom', input, message: parsed.message });
  return z.NEVER;
});

const matchWords = `${patternWords}, or a list of them`;

const entry = section(
  {
    match: list(
      pattern.meta(about(patternWords, 'A pattern.')),
      matchWords,
      'The recipients that this entry is about; required without matchFile.',
    ).optional(),
    matchFile: text(
      value<string>,
      'a path',
      'A file with more of them, a pattern a line; # begins a comment.',
    ).optional(),
    action: choice(['accept', 'reject'], 'What becomes of them.'),
    bypassCallAhead: flag(false, 'With accept: accept them without asking a server.'),
    callAheadProfile: text(
      value<string>,
      'the name of a profile',
      "With accept: the profile by which they are checked; left out, the listener's.",
    ).optional(),
    response: response({ code: 550, text: 'Relaying denied' }, 'The reply to a recipient that is rejected.').optional(),
  },
  'One entry of a table.',
);

type EntryInput = z.output<typeof entry>;

const table = z
  .array(entry, expecting('a list of entries {match, action}'))
  .meta(about('a list of entries', 'A recipient access table; the first entry that matches decides.'));

export const recipientAccess = named(
  table,
  'Which recipients are accepted at all, by name; a listener names one table.',
);

/** What the entries of the tables need from each other, from the rest of the configuration, and from the files they name. */
export function checkRecipientAccess(root: Plain, tables: Tables): readonly Fault[] {
  return entriesIn(root).flatMap(([path, entry]) => checkEntry(root, path, entry, tables));
}

/** What is wrong inside the files that entries name. */
export function checkPatternFiles(root: Plain, tables: Tables): readonly Problem[] {
  const paths = new Set(
    entriesIn(root).flatMap(([, { matchFile }]) => (typeof matchFile === 'string' ? [matchFile] : [])),
  );
  return [...paths].flatMap((path) => {
    const table = tables.patterns(path);
    return table instanceof Error ? [] : table.problems;
  });
}

function entriesIn(root: Plain): readonly (readonly [Path, Plain])[] {
  if (!isPlain(root.recipientAccess)) return [];
  return Object.entries(root.recipientAccess).flatMap(([name, entries]) => {
    if (!Array.isArray(entries)) return [];
    return entries.flatMap((entry: unknown, index) =>
      isPlain(entry) ? [[['recipientAccess', name, index], entry] as const] : [],
    );
  });
}

function checkEntry(root: Plain, path: Path, entry: Plain, tables: Tables): readonly Fault[] {
  const { action, matchFile } = entry;
  const given = (key: string): boolean => (entry[key] ?? null) !== null;
  const faults: Fault[] = [];
  if (!given('match') && !given('matchFile')) {
    faults.push(errorAt([...path, 'match'], `missing: expected ${matchWords}`));
  }
  const table = typeof matchFile === 'string' ? tables.patterns(matchFile) : null;
  if (table instanceof Error) faults.push(errorAt([...path, 'matchFile'], table.message));
  const misplaced = (key: string, why: string): void => {
    faults.push({ ...errorAt([...path, key], `not allowed with ${why}`), blame: 'key' });
  };
  const onlyWith = (other: string): string => `action ${action}: expected it with action ${other} only`;
  if (action === 'accept' && given('response')) misplaced('response', onlyWith('reject'));
  if (action === 'reject' && entry.bypassCallAhead === true) misplaced('bypassCallAhead', onlyWith('accept'));
  if (action === 'reject' && given('callAheadProfile')) misplaced('callAheadProfile', onlyWith('accept'));
  if (action === 'accept' && entry.bypassCallAhead === true && given('callAheadProfile')) {
    misplaced('callAheadProfile', 'bypassCallAhead: expected one of the two');
  }
  const reference = [...path, 'callAheadProfile'];
  return [...faults, ...checkReference(root, 'callAheadProfiles', reference, entry.callAheadProfile)];
}

/** The first pattern by which a table as it stands in the file takes everybody's mail; null where none does or the table is broken. */
export function openRelayIn(rawTable: unknown, tables: Tables): string | null {
  const parsed = table.safeParse(rawTable);
  return parsed.success
    ? openRelay(parsed.data.map((entry) => ({ action: entry.action, patterns: patternsOf(entry, tables) })))
    : null;
}

/** A table whose references and files were checked. */
export function buildRecipientAccess(
  entries: readonly EntryInput[],
  profiles: ReadonlyMap<string, Profile>,
  tables: Tables,
): RecipientAccess {
  return compileRecipientAccess(entries.map((entry) => buildEntry(entry, profiles, tables)));
}

function buildEntry(entry: EntryInput, profiles: ReadonlyMap<string, Profile>, tables: Tables): AccessEntry {
  const { action, bypassCallAhead, callAheadProfile, response: reply = null } = entry;
  const patterns = patternsOf(entry, tables);
  if (action === 'reject') return { action, patterns, reply: reply === null ? null : withEnhanced(reply) };
  const profile = callAheadProfile === undefined ? null : (profiles.get(callAheadProfile) ?? null);
  return { action, patterns, bypassCallAhead, profile };
}

/** Those of the configuration, then those of the file. */
function patternsOf({ match = [], matchFile }: EntryInput, tables: Tables): readonly AccessPattern[] {
  if (matchFile === undefined) return match;
  const read = tables.patterns(matchFile);
  if (read instanceof Error) return match;
  return match.length === 0 ? read.patterns : [...match, ...read.patterns];
}
