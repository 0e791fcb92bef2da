import { z } from 'zod';
import { type AccessPattern, parseAccessPattern } from '../access/access-pattern.ts';
import { openRelay } from '../access/open-relay.ts';
import type { AccessEntry } from '../access/recipient-access.ts';
import { errorAt, type Fault } from './faults.ts';
import { about, choice, expecting, flag, list, named, section } from './fields.ts';
import { isPlain, type Plain } from './plain.ts';
import type { Path } from './positions.ts';
import { response } from './replies.ts';

const patternWords = 'user@domain, domain, .domain, user@, user@[ip] or ALL';

const pattern = z.string(expecting(patternWords)).transform((input, context): AccessPattern => {
  const parsed = parseAccessPattern(input);
  if (parsed.kind === 'ok') return parsed.pattern;
  context.addIssue({ code: 'custom', input, message: parsed.message });
  return z.NEVER;
});

const entry = section(
  {
    match: list(
      pattern.meta(about(patternWords, 'A pattern.')),
      `${patternWords}, or a list of them`,
      'The recipients that this entry is about.',
    ),
    action: choice(['accept', 'reject'], 'What becomes of them.'),
    bypassCallAhead: flag(false, 'With accept: accept them without asking a server.'),
    response: response.optional(),
  },
  'One entry of a table.',
).transform(({ match: patterns, action, bypassCallAhead, response: reply = null }): AccessEntry => {
  if (action === 'accept') return { action, patterns, bypassCallAhead };
  return { action, patterns, reply: reply === null ? null : withEnhanced(reply) };
});

const table = z
  .array(entry, expecting('a list of entries {match, action}'))
  .meta(about('a list of entries', 'A recipient access table; the first entry that matches decides.'));

export const recipientAccess = named(
  table,
  'Which recipients are accepted at all, by name; a listener names one table.',
);

/** A response belongs to a rejection, a bypass to an acceptance. */
export function checkRecipientAccess(root: Plain): readonly Fault[] {
  const tables = root.recipientAccess;
  if (!isPlain(tables)) return [];
  return Object.entries(tables).flatMap(([name, entries]) => {
    if (!Array.isArray(entries)) return [];
    return entries.flatMap((entry: unknown, index) => checkEntry(['recipientAccess', name, index], entry));
  });
}

function checkEntry(path: Path, entry: unknown): readonly Fault[] {
  if (!isPlain(entry)) return [];
  const misplaced = (key: string, action: string): Fault => ({
    ...errorAt([...path, key], `not allowed with action ${entry.action}: expected it with action ${action} only`),
    blame: 'key',
  });
  if (entry.action === 'accept' && (entry.response ?? null) !== null) return [misplaced('response', 'reject')];
  if (entry.action === 'reject' && entry.bypassCallAhead === true) return [misplaced('bypassCallAhead', 'accept')];
  return [];
}

/** The first pattern by which a table as it stands in the file takes everybody's mail; null where none does or the table is broken. */
export function openRelayIn(rawTable: unknown): string | null {
  const parsed = table.safeParse(rawTable);
  return parsed.success ? openRelay(parsed.data) : null;
}

// RFC 3463 §3.8: X.7.1, delivery not authorized, is what an access table says unless its text says more.
function withEnhanced<R extends Readonly<{ code: number; enhanced: string | null }>>(reply: R): R {
  return { ...reply, enhanced: reply.enhanced ?? `${String(reply.code)[0]}.7.1` };
}
