import type { AccessDecision, ListenerSettings, Policy, Profile, Recipient, Recorder, Reply } from '@callahead/core';
import { printReply } from '@callahead/core';
import type { HarvestCounter } from './dhap.ts';
import type { Transaction } from './incoming.ts';
import { SAYS } from './texts.ts';
import type { Usage } from './usage.ts';

export type Refusal = Readonly<{ kind: 'refused'; reply: Reply; reason: string }>;

/** Why a recipient is asked about, or is not. `relayed`: its sender may write to anybody. */
export type Check =
  | Readonly<{ kind: 'asked' | 'bypassed' | 'unchecked' | 'relayed' }>
  | Refusal
  /** Its client was blocked when it came. */
  | Readonly<{ kind: 'harvested' }>;

/** What is done about a recipient, and by which profile: that of its access entry, else the listener's; null: it has none. */
export type Plan = Readonly<{ check: Check; profile: Profile | null }>;

export type PlannerOptions = Readonly<{
  settings: ListenerSettings;
  harvest: Pick<HarvestCounter, 'blocks'> | null;
  usage: Pick<Usage, 'hasRoom'> | null;
  now: () => number;
}>;

/** Everything that is decided about a recipient before anybody is asked, in the order of SPEC 3.1. */
export type Planner = Readonly<{
  plan(recipient: Recipient, transaction: Transaction, recorder: Recorder | null): Plan;
  /** For the listener's postmaster, whom recipient access does not keep out (SPEC 3.6). */
  planPostmaster(recipient: Recipient, transaction: Transaction): Plan;
  /** What speaks against one more recipient of a transaction, whoever it is (SPEC 6.4). */
  limit(transaction: Transaction): Refusal | null;
  blocks(transaction: Transaction): boolean;
}>;

export function createPlanner({ settings, harvest, usage, now }: PlannerOptions): Planner {
  const { type, limits, recipientAccess } = settings;
  const ownSenders = sendersOf([settings.profile, ...recipientAccess.profiles]);

  function limit({ accepted, client }: Transaction): Refusal | null {
    const { policy } = client.admission;
    const most = Math.min(limits.recipientsPerMessage, policy.maxRecipientsPerMessage ?? Number.POSITIVE_INFINITY);
    if (accepted >= most) return TOO_MANY;
    const hasRoom = usage?.hasRoom(client.address, policy.maxRecipientsPerHour) ?? true;
    return hasRoom ? null : TOO_MANY_AN_HOUR;
  }

  function blocks({ client }: Transaction): boolean {
    // On a private listener who may not send is told that, however much it has guessed elsewhere (SPEC 3.4).
    return type === 'public' && (harvest?.blocks(client) ?? false);
  }

  /** Null: nothing speaks against one more recipient of this client. */
  function forbid(transaction: Transaction): Check | null {
    const { action } = transaction.client.admission.policy;
    // The counts can only grow until this recipient's turn.
    const refusal = type === 'private' && action !== 'relay' ? NO_RELAY : limit(transaction);
    if (refusal !== null) return refusal;
    return blocks(transaction) ? HARVESTED : null;
  }

  function plan(recipient: Recipient, transaction: Transaction, recorder: Recorder | null): Plan {
    const { policy } = transaction.client.admission;
    const forbidden = forbid(transaction);
    if (forbidden !== null) return { check: forbidden, profile: null };
    const access = recipientAccess.decide(recipient);
    // What is ours goes where ours goes; for everything else no profile knows the host (SPEC 7.1).
    if (policy.action === 'relay') return { check: RELAYED, profile: profileFor(access) };
    recorder?.({ stage: 'access', atMs: now(), facts: accessFacts(access) });
    if (access.kind === 'reject')
      return { check: { kind: 'refused', reply: access.reply, reason: 'access' }, profile: null };
    const profile = profileFor(access);
    if (profile === null) return { check: UNCHECKED, profile };
    return { check: isBypassed(access, policy, recipient) ? BYPASSED : ASKED, profile };
  }

  function planPostmaster(recipient: Recipient, transaction: Transaction): Plan {
    const forbidden = forbid(transaction);
    if (forbidden !== null) return { check: forbidden, profile: null };
    return { check: BYPASSED, profile: profileFor(recipientAccess.decide(recipient)) ?? settings.profile };
  }

  function profileFor(access: AccessDecision): Profile | null {
    return access.kind === 'accept' ? (access.profile ?? settings.profile) : null;
  }

  function isBypassed(access: AccessDecision, policy: Policy, { address }: Recipient): boolean {
    const byEntry = access.kind === 'accept' && access.bypassCallAhead;
    // Asking about our own probes' senders would make a server ask us, which would ask it (SPEC 3.6).
    return byEntry || policy.bypassCallAhead || ownSenders.has(address);
  }

  return { plan, planPostmaster, limit, blocks };
}

const ASKED: Check = { kind: 'asked' };
const BYPASSED: Check = { kind: 'bypassed' };
const UNCHECKED: Check = { kind: 'unchecked' };
const RELAYED: Check = { kind: 'relayed' };
const HARVESTED: Check = { kind: 'harvested' };
const TOO_MANY: Refusal = { kind: 'refused', reply: SAYS.tooManyRecipients, reason: 'limit' };
const TOO_MANY_AN_HOUR: Refusal = { kind: 'refused', reply: SAYS.tooManyAnHour, reason: 'limit' };
const NO_RELAY: Refusal = { kind: 'refused', reply: SAYS.noRelay, reason: 'private' };

function accessFacts(access: AccessDecision): Readonly<Record<string, string>> {
  const entry = access.entry === '' ? 'none matches' : access.entry;
  if (access.kind === 'reject') return { entry, action: 'reject', reply: printReply(access.reply) };
  return { entry, action: 'accept', bypass: access.bypassCallAhead ? 'yes' : 'no' };
}

/** Whoever asks us about these does so because we asked it. `''`, the null sender, is nobody's address. */
function sendersOf(profiles: readonly (Profile | null)[]): ReadonlySet<string> {
  return new Set(profiles.flatMap((profile) => [profile?.probe.mailFrom ?? '', profile?.probe.mailFromFallback ?? '']));
}
