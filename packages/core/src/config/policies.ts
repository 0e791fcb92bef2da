import type { z } from 'zod';
import type { HarvestProtection, Policy } from '../access/host-access.ts';
import { choice, count, flag, limit, list, named, section } from './fields.ts';
import { code, line, response, separate, withEnhanced } from './replies.ts';

const countsWords = 'rat, unknown or refused, or a list of them';

const dhap = section(
  {
    code: code.prefault(450),
    text: line.prefault('Too many invalid recipients'),
    disconnect: flag(true, 'Close the session after this reply; code 421 always does.'),
    prefixV4: count(32, 1, 32, 'Clients whose IPv4 addresses share so many bits are counted as one.'),
    prefixV6: count(64, 1, 128, 'Clients whose IPv6 addresses share so many bits are counted as one.'),
    counts: list(
      choice(['rat', 'unknown', 'refused'], 'What counts.'),
      countsWords,
      'Which recipients count: those that recipient access refuses, those that a server does not know, those that it refuses.',
    )
      .refine((words) => words.length > 0, { error: `[] is empty: expected ${countsWords}` })
      .prefault(['rat', 'unknown']),
    nullSender: flag(true, 'Count recipients of the null sender too.'),
  },
  'What a client is told whose recipients too often do not exist.',
).transform((input, context) => ({ ...input, reply: separate(input.code, input.text, context) }));

const policy = section(
  {
    action: choice(
      ['accept', 'reject', 'relay', 'refuse'],
      'reject: say 554 in place of a greeting; relay: take mail for any recipient, unasked; refuse: close without a greeting.',
    ).prefault('accept'),
    response: response(
      { code: 554, text: 'Access denied' },
      'With reject: what is said in place of the greeting.',
    ).optional(),
    maxConnectionsPerHost: limit(10, 1, 100_000, 'Sessions of one client at once, over all listeners.'),
    maxMessagesPerConnection: limit(10, 1, 1_000_000, 'Messages begun (MAIL accepted) in one session.'),
    maxRecipientsPerMessage: limit(
      1000,
      1,
      100_000,
      "Recipients accepted in one message; the listener's limit holds too.",
    ),
    maxRecipientsPerHour: limit(
      'unlimited',
      1,
      10_000_000,
      'Recipients of one client accepted within an hour, over all listeners.',
    ),
    maxInvalidRecipientsPerHour: limit(
      25,
      1,
      1_000_000,
      'Recipients of one client that may turn out invalid within an hour, over all listeners.',
    ),
    dhap: dhap.prefault({}),
    bypassCallAhead: flag(false, 'Accept what recipient access accepts without asking a server.'),
    tls: choice(
      ['off', 'optional', 'required'],
      'STARTTLS: not offered, offered, or demanded before the first message.',
    ).prefault('optional'),
  },
  'What the clients of a group may do.',
);

type PolicyInput = z.output<typeof policy>;

/** The policies of one table, by name. */
export const policies = named(policy, 'What clients may do, by name; a sender group names one.');

export function buildPolicy(name: string, input: PolicyInput): Policy {
  const { dhap: harvest, maxInvalidRecipientsPerHour, response: said = null, ...rest } = input;
  return {
    ...rest,
    name,
    response: said === null ? null : withEnhanced(said),
    harvest: buildHarvest(harvest, maxInvalidRecipientsPerHour),
  };
}

function buildHarvest(input: PolicyInput['dhap'], most: number | null): HarvestProtection {
  const { reply, disconnect, prefixV4, prefixV6, counts, nullSender } = input;
  return {
    limit: most,
    reply: withEnhanced(reply),
    // RFC 5321 §3.8: after a 421 the channel closes.
    disconnect: disconnect || reply.code === 421,
    prefixV4,
    prefixV6,
    counts: [...new Set(counts)],
    nullSender,
  };
}

/** The action of a policy as it stands in the file; null where it is none. */
export function actionIn(input: unknown): Policy['action'] | null {
  const parsed = policy.safeParse(input);
  return parsed.success ? parsed.data.action : null;
}
