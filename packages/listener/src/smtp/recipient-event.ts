import type { Checked, Decision, Event, Reply } from '@callahead/core';
import type { Ticket } from '../gate.ts';

type About = Readonly<{ session: string; listener: string; client: string }>;

/** What is said of a recipient that was answered. It is made for each of them, and so in one piece; what differs stands together, for the log writes the rest as it did. */
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
      tookMs,
      kind,
      source,
      profile: profile?.name ?? '',
      server,
      ref: verdict === null || verdict.kind === 'valid' ? '' : verdict.ref,
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
    tookMs,
    kind,
    source,
    profile: profile?.name ?? '',
    server,
    ref: decision.ref,
    code,
    reason: decision.reason,
  };
}

/** The longest address, RFC 5321 §4.5.3.1: 64 octets, an @ and 255 octets. */
const LONGEST_ADDRESS = 320;

/** What is said of a RCPT whose address or parameters were not understood, in printable ASCII: nobody asked about it, and nobody is counted for it. */
export function misaddressedEvent(
  about: About,
  written: string,
  { code }: Reply,
  reason: 'syntax' | 'parameter',
): Event {
  return {
    event: 'recipient.rejected',
    ...about,
    recipient: written.slice(0, LONGEST_ADDRESS).replace(/[^ -~]/g, '?'),
    kind: 'unasked',
    source: '',
    profile: '',
    server: '',
    tookMs: 0,
    ref: about.session,
    code,
    reason,
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
