import type { Checked, Decision, Event } from '@callahead/core';
import type { Ticket } from '../gate.ts';

type About = Readonly<{ session: string; listener: string; client: string }>;

/** What is said of a recipient that was answered. It is made for each of them, and so in one piece. */
export function recipientEvent({ session, listener, client }: About, ticket: Ticket, decision: Decision): Event {
  const { check, profile, verdict, verdictMs, deadlineMs } = ticket;
  const { address: recipient } = ticket.recipient;
  const asked = check.kind === 'asked' && profile !== null;
  const kind = kindOf(ticket);
  const source = asked ? (verdict?.source ?? 'server') : '';
  const server = verdict?.server ?? '';
  const tookMs = asked ? tenths(verdictMs - deadlineMs + profile.validationTimeoutMs) : 0;
  const { code } = decision.reply;
  if (decision.kind === 'accept') {
    return {
      event: 'recipient.accepted',
      session,
      listener,
      client,
      recipient,
      kind,
      source,
      profile: profile?.name ?? '',
      server,
      tookMs,
      code,
      monitor: profile?.actions.mode === 'monitor',
    };
  }
  return {
    event: 'recipient.rejected',
    session,
    listener,
    client,
    recipient,
    kind,
    source,
    profile: profile?.name ?? '',
    server,
    tookMs,
    code,
    reason: decision.reason,
    ref: decision.ref,
  };
}

function kindOf({ check, verdict }: Ticket): Checked {
  switch (check.kind) {
    case 'asked':
      return verdict?.kind ?? 'failed';
    case 'bypassed':
    case 'unchecked':
      return check.kind;
    case 'relayed':
      return 'unchecked';
    case 'refused':
    case 'harvested':
      return 'unasked';
  }
}

function tenths(milliseconds: number): number {
  return Math.max(0, Math.round(milliseconds * 10) / 10);
}
