import {
  type Actions,
  type Decision,
  type DeliveryRequest,
  type DeliveryRouting,
  failed,
  type ListenerSettings,
  type Profile,
  type Recipient,
  type Recorder,
  type Reply,
  type Request,
  type Validate,
  type Verdict,
} from '@callahead/core';
import { answer } from './answer.ts';
import type { HarvestCounter } from './dhap.ts';
import type { Transaction } from './incoming.ts';
import { type Check, createPlanner, type Plan } from './plan.ts';
import type { Holds } from './refusals.ts';
import { SAYS } from './texts.ts';
import type { Usage } from './usage.ts';

/** Finds the delivery host of one recipient. Never rejects; answers by the request's deadline. */
export type Locate = (request: DeliveryRequest) => DeliveryRouting | Promise<DeliveryRouting>;

/** What a delivery host said about (sender, recipient) and the sender has not been told yet (SPEC 7.3). `take` forgets it. */
export type HoldSource = Pick<Holds, 'take'>;

type Rejection = Extract<Decision, { kind: 'reject' }>;

type Located = Extract<DeliveryRouting, { kind: 'ask' }>;

/** One recipient between `begin` and `settle`. What is not known when it is settled counts as a time-out. */
export type Ticket = {
  readonly recipient: Recipient;
  readonly check: Check;
  /** That of its access entry, else the listener's; null: it has none. */
  readonly profile: Profile | null;
  /** Absolute, of the injected clock; the answer is due then (SPEC 4.7). */
  readonly deadlineMs: number;
  verdict: Verdict | null;
  /** When the verdict came; the deadline while it has not. */
  verdictMs: number;
  delivery: DeliveryRouting | null;
  /** How many of the two are on their way. */
  outstanding: number;
};

export type Begin = Readonly<{
  recorder: Recorder | null;
  /** Called once, and never inside `begin`, when the last thing that was outstanding is known. */
  ready: (ticket: Ticket) => void;
}>;

/** The two halves of the path of a recipient that every door shares: `begin` in the order of arrival, `settle` in the order of the replies. */
export type Gate = Readonly<{
  begin(recipient: Recipient, transaction: Transaction, options: Begin): Ticket;
  /** `<postmaster>` without a domain (SPEC 3.6). */
  beginPostmaster(transaction: Transaction, options: Begin): Ticket;
  /** `reference` names the session in the log, for answers that no dialogue stands behind. */
  settle(ticket: Ticket, transaction: Transaction, reference: string): Decision;
}>;

export type GateOptions = Readonly<{
  settings: ListenerSettings;
  validate: Validate;
  locate: Locate;
  holds: HoldSource | null;
  /** Null: nobody is counted, and nobody blocked. */
  harvest: Pick<HarvestCounter, 'blocks' | 'count'> | null;
  /** Null: nobody's recipients are counted by the hour. */
  usage: Pick<Usage, 'hasRoom' | 'accepted'> | null;
  now: () => number;
}>;

/** The budget of a recipient that is only routed. */
const ROUTING_BUDGET_MS = 30_000;

const POSTMASTER: Recipient = { address: 'postmaster', local: 'postmaster', domain: '', utf8: false };

/** For failures of the delivery's routing, which no action of a profile is about. */
const REJECT: Actions = {
  mode: 'enforce',
  onValidationFailure: { kind: 'reject' },
  onTemporaryFailure: { kind: 'reject' },
  onUnknown: { kind: 'reject' },
  onRefused: { kind: 'reject' },
  serverReply: 'mask',
};

export function createGate({ settings, validate, locate, holds, harvest, usage, now }: GateOptions): Gate {
  const { plan, planPostmaster, limit, blocks } = createPlanner({ settings, harvest, usage, now });

  function begin(recipient: Recipient, transaction: Transaction, options: Begin): Ticket {
    return start(recipient, plan(recipient, transaction, options.recorder), options);
  }

  function beginPostmaster(transaction: Transaction, options: Begin): Ticket {
    const recipient = settings.postmaster ?? POSTMASTER;
    return start(recipient, planPostmaster(recipient, transaction), options);
  }

  function start(recipient: Recipient, { check, profile }: Plan, { recorder, ready }: Begin): Ticket {
    const budgetMs = profile?.validationTimeoutMs ?? ROUTING_BUDGET_MS;
    const deadlineMs = now() + budgetMs;
    const ticket: Ticket = {
      recipient,
      check,
      profile,
      deadlineMs,
      verdict: null,
      verdictMs: deadlineMs,
      delivery: null,
      outstanding: 0,
    };
    if (check.kind === 'refused' || check.kind === 'harvested') return ticket;
    recorder?.({
      stage: 'call-ahead',
      atMs: now(),
      facts: { recipient: check.kind, profile: profile?.name ?? 'none' },
    });
    const request = { recipient, profile, listener: settings.name, deadlineMs, recorder };
    // Both at once: a recipient that is accepted although nobody could say anything must not wait twice.
    if (check.kind === 'asked' && hasProfile(request)) ask(ticket, request, ready);
    const locates = settings.relay || (profile !== null && opensOnFailure(profile.actions));
    if (locates && recipient !== POSTMASTER) find(ticket, request, ready);
    return ticket;
  }

  function ask(ticket: Ticket, request: Request, ready: Begin['ready']): void {
    const verdict = validate(request);
    if (!(verdict instanceof Promise)) {
      ticket.verdict = verdict;
      ticket.verdictMs = now();
      return;
    }
    ticket.outstanding++;
    const known = (found: Verdict): void => {
      ticket.verdict = found;
      ticket.verdictMs = now();
      arrived(ticket, ready);
    };
    // Not awaited: the place in the queue of replies is what waits.
    void verdict.then(known, (error: unknown) => known(failed('protocol', String(error))));
  }

  function find(ticket: Ticket, request: DeliveryRequest, ready: Begin['ready']): void {
    const delivery = locate(request);
    if (!(delivery instanceof Promise)) {
      ticket.delivery = delivery;
      return;
    }
    ticket.outstanding++;
    const known = (found: DeliveryRouting): void => {
      ticket.delivery = found;
      arrived(ticket, ready);
    };
    void delivery.then(known, (error: unknown) => known({ kind: 'known', verdict: failed('no-route', String(error)) }));
  }

  /** In the order of SPEC 3.1: limits, harvest block, access, action, harvest count, hold, destination. */
  function settle(ticket: Ticket, transaction: Transaction, reference: string): Decision {
    const refusal = limit(transaction);
    if (refusal !== null) return refuse(refusal, reference);
    if (ticket.check.kind === 'harvested' || blocks(transaction)) return stop(transaction, reference);
    if (ticket.check.kind === 'refused') {
      if (ticket.check.reason === 'access') countInvalid('rat', ticket, transaction);
      return refuse(ticket.check, reference);
    }
    // Taken before anything is said: whatever this recipient is told now, the next time it is not told that again.
    const held = heldFor(delivered(ticket), transaction);
    const decision = act(ticket, reference);
    if (decision.kind === 'reject') {
      countInvalid(ticket.verdict?.kind, ticket, transaction);
      return decision;
    }
    if (held !== null) return afterwards(held, ticket, reference);
    return settings.relay ? place(ticket, transaction, decision, reference) : count(transaction, decision);
  }

  /** Who is named twice, or is somebody else under another name, is told the same: accepted, he would keep the message from the others for ever. */
  function heldFor({ address }: Recipient, transaction: Transaction): Reply | null {
    const held = holds?.take(transaction.sender, address) ?? transaction.held?.get(address) ?? null;
    if (held === null) return null;
    transaction.held ??= new Map();
    transaction.held.set(address, held);
    return held;
  }

  /** Whatever is known about the recipient by now. */
  function stop(transaction: Transaction, reference: string): Decision {
    const { reply, disconnect } = transaction.client.admission.policy.harvest;
    transaction.stopped = reply;
    const refused = refuse({ reply, reason: 'dhap' }, reference);
    return disconnect ? { ...refused, disconnect } : refused;
  }

  function countInvalid(why: Verdict['kind'] | 'rat' | undefined, { recipient }: Ticket, about: Transaction): void {
    const { counts, nullSender } = about.client.admission.policy.harvest;
    if (about.sender === '' && !nullSender) return;
    if (counts.some((counted) => counted === why)) harvest?.count(about.client, settings.name, recipient.address);
  }

  function act(ticket: Ticket, reference: string): Decision {
    const { check, profile } = ticket;
    if (check.kind !== 'asked' || profile === null) return ACCEPTED;
    const verdict = ticket.verdict ?? failed('timeout', 'no verdict within the validation timeout');
    const deliverable = ticket.delivery !== null && ticket.delivery.kind !== 'known';
    return answer(verdict, profile.actions, { deliverable, reference });
  }

  /** The delivery host has refused this recipient of this sender's last message (SPEC 7.3). */
  function afterwards(reply: Reply, { profile }: Ticket, reference: string): Decision {
    const verdict = {
      kind: reply.code < 500 ? 'temporary' : 'refused',
      source: 'delivery',
      server: '',
      reply,
      ref: '',
    } as const;
    const serverReply = profile?.actions.serverReply ?? 'mask';
    return answer(verdict, { ...REJECT, serverReply }, { deliverable: true, reference });
  }

  /** One destination a transaction (SPEC 7.2): what goes elsewhere is for the sender's next one (RFC 5321 §4.5.3.1.10). */
  function place(ticket: Ticket, transaction: Transaction, decision: Decision, reference: string): Decision {
    const { delivery } = ticket;
    if (delivery === null)
      return answer(failed('timeout', 'no delivery host in time'), REJECT, { deliverable: false, reference });
    if (delivery.kind === 'known') return unroutable(delivery.verdict, reference);
    if (delivery.kind === 'discard') return count(transaction, decision);
    transaction.route ??= delivery.route;
    const isElsewhere = transaction.route.key !== delivery.route.key;
    if (isElsewhere || hasAnother(transaction, delivery)) {
      return refuse({ reply: SAYS.otherDestination, reason: 'destination' }, reference);
    }
    transaction.recipients.push(delivery.recipient);
    transaction.named.push(ticket.recipient);
    return count(transaction, decision);
  }

  function count(transaction: Transaction, decision: Decision): Decision {
    transaction.accepted++;
    const { address, admission } = transaction.client;
    if (admission.policy.maxRecipientsPerHour !== null) usage?.accepted(address);
    return decision;
  }

  return { begin, beginPostmaster, settle };
}

const ACCEPTED: Decision = { kind: 'accept', reply: SAYS.recipientOk };

function hasProfile(request: DeliveryRequest): request is Request {
  return request.profile !== null;
}

function arrived(ticket: Ticket, ready: Begin['ready']): void {
  ticket.outstanding--;
  if (ticket.outstanding === 0) ready(ticket);
}

/** Only then is a delivery host wanted where nothing is delivered (SPEC 4.8). */
function opensOnFailure({ mode, onValidationFailure, onTemporaryFailure }: Actions): boolean {
  return mode === 'enforce' && (onValidationFailure.kind === 'accept' || onTemporaryFailure.kind === 'accept');
}

/** By LMTP a transaction has one recipient, however often it is named (SPEC 7.2). */
function hasAnother({ recipients }: Transaction, { route, recipient }: Located): boolean {
  return route.protocol === 'lmtp' && recipients.some((other) => other.address !== recipient.address);
}

/** Under whose name the delivery host knows the recipient. */
function delivered({ delivery, recipient }: Ticket): Recipient {
  return delivery?.kind === 'ask' ? delivery.recipient : recipient;
}

/** Routing that knows the recipient to be good knows no host for it. */
function unroutable(verdict: Verdict, reference: string): Decision {
  const told = verdict.kind === 'valid' ? failed('no-route', 'no delivery host') : verdict;
  return answer(told, REJECT, { deliverable: false, reference });
}

function refuse({ reply, reason }: Readonly<{ reply: Reply; reason: string }>, ref: string): Rejection {
  return { kind: 'reject', reply, reason, ref, disconnect: reply.code === 421 };
}
