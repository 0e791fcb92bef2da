import {
  type Admission,
  type DeliveryRouting,
  EVERYBODY,
  type ExplainedDelivery,
  type Explanation,
  type ListenerSettings,
  parseRecipient,
  printReply,
  type Recipient,
  type Recorder,
  type Reply,
  type Step,
  serverName,
  type Validate,
  type Verdict,
} from '@callahead/core';
import { createGate, type Gate, openTransaction, SAYS, type Ticket, type Transaction } from '@callahead/listener';
import type { Router } from '@callahead/routing';
import type { Engine } from '@callahead/workers';
import { createValidate } from './halves.ts';

/** `address` as RCPT TO would have it between `<` and `>`. `client`: an address, null where nobody in particular asks. `dry`: no server is asked. */
export type ExplainRequest = Readonly<{
  address: string;
  settings: ListenerSettings;
  client: string | null;
  dry: boolean;
}>;

export type ExplainParts = Readonly<{
  router: Router;
  engine: Pick<Engine, 'validate'>;
  /** What is done with verdicts before they count; left out, nothing. */
  guard?: (validate: Validate) => Validate;
  /** The clock of all deadlines. */
  now: () => number;
}>;

/** How long after its deadline an answer may still come: the same grace that a session gives it. */
const GRACE_MS = 50;

/** Stands for the verdict that a dry run does not ask for. */
const NOT_ASKED: Verdict = { kind: 'valid', source: 'routing', server: '' };

/**
 * Walks one recipient through the gate, routing and the engine with a recorder, asking afresh and keeping nothing. Never rejects where its parts
 * do not; answers by the profile's validation timeout.
 */
export async function explain(request: ExplainRequest, parts: ExplainParts): Promise<Explanation> {
  const { address, settings, client, dry } = request;
  const { now } = parts;
  const startMs = now();
  const steps: Step[] = [];
  const recorder: Recorder = (step) => steps.push({ ...step, atMs: Math.max(0, step.atMs - startMs) });
  const about = { listener: settings.name, client };

  // A sender that has such an address announces SMTPUTF8 for it.
  const parsed = parseRecipient(address, { smtpUtf8: true });
  if (parsed.kind === 'bad') {
    const { reply } = parsed;
    recorder({ stage: 'address', atMs: now(), facts: { syntax: 'bad', reply: printReply(reply) } });
    return { recipient: address, ...about, ...NOTHING, steps, reply, exit: exitOf(reply) };
  }
  const admission = await admit(request, parts, recorder);
  const turnedAway = turnAway(admission);
  if (turnedAway !== null)
    return { recipient: address, ...about, ...NOTHING, steps, reply: turnedAway, exit: exitOf(turnedAway) };
  const recipient = parsed.kind === 'ok' ? parsed.recipient : null;
  const gate = openGate(settings, parts, dry);
  const transaction = openTransaction(
    { address: client ?? 'unknown', admission },
    { sender: '', smtpUtf8: recipient?.utf8 ?? false },
  );
  const ticket = await begin(gate, recipient, transaction, recorder, now);
  const { reply } = decide(gate, ticket, transaction, recorder, now);
  const told = steps.filter(({ stage }) => stage !== 'dialogue').sort((a, b) => a.atMs - b.atMs);
  return {
    recipient: ticket.recipient.address,
    ...about,
    steps: told,
    dialogue: steps.flatMap(({ stage, facts }) => (stage === 'dialogue' ? [facts.line ?? ''] : [])),
    verdict: ticket.verdict === NOT_ASKED ? null : ticket.verdict,
    cached: cachedIn(told),
    reply,
    delivery: ticket.delivery === null ? null : describeDelivery(ticket.delivery),
    exit: exitOf(reply),
  };
}

const NOTHING = { dialogue: [], verdict: null, cached: null, delivery: null } as const;

/** As the listener decides when the client connects. Nobody in particular is in no group. */
async function admit(
  { settings, client }: ExplainRequest,
  { router, now }: ExplainParts,
  recorder: Recorder,
): Promise<Admission> {
  const { hostAccess } = settings;
  if (hostAccess === null || client === null) return EVERYBODY;
  let names: readonly string[] | null = null;
  const admission = await hostAccess.decide(client, async (address) => {
    names = await router.namesOf(address);
    return names;
  });
  const { group, entry, policy } = admission;
  const found = group === '' ? { group: 'none matches' } : { group, entry, policy: policy.name };
  recorder({ stage: 'host', atMs: now(), facts: { ...namesFact(names), ...found, action: policy.action } });
  return admission;
}

/** Nothing where no entry wanted to know. */
function namesFact(names: readonly string[] | null): Readonly<Record<string, string>> {
  if (names === null) return {};
  return { names: names.length === 0 ? 'none that leads back to the address' : names.join(', ') };
}

/** What a client hears that gets no further; null: it does. */
function turnAway({ policy }: Admission): Reply | null {
  switch (policy.action) {
    case 'reject':
      return policy.response ?? SAYS.accessDenied;
    case 'refuse':
      return { ...SAYS.accessDenied, text: 'Closed without a greeting' };
    case 'accept':
    case 'relay':
      return null;
  }
}

/** The listener's own gate. It has no holds, for to look one up is to use it up (SPEC 7.3), and counts no invalid recipients (SPEC 1.3). */
function openGate(
  settings: ListenerSettings,
  { router, engine, guard = itself, now }: ExplainParts,
  dry: boolean,
): Gate {
  return createGate({
    settings,
    validate: guard(createValidate(router, (ask) => (dry ? NOT_ASKED : engine.validate({ ...ask, fresh: true })))),
    locate: (request) => router.toDeliver({ ...request, recorder: forDelivery(request.recorder) }),
    holds: null,
    harvest: null,
    usage: null,
    now,
  });
}

function itself(validate: Validate): Validate {
  return validate;
}

function forDelivery(recorder: Recorder | null): Recorder | null {
  return recorder === null ? null : (step) => recorder({ ...step, stage: `delivery.${step.stage}` });
}

/** That of a first recipient of a message from the null sender. */
/** Settles when all is known, or when the reply would be due without. `recipient` null: the postmaster without a domain. */
async function begin(
  gate: Gate,
  recipient: Recipient | null,
  transaction: Transaction,
  recorder: Recorder,
  now: () => number,
): Promise<Ticket> {
  const { promise: known, resolve: ready } = Promise.withResolvers<void>();
  const options = { recorder, ready: () => ready() };
  const ticket =
    recipient === null ? gate.beginPostmaster(transaction, options) : gate.begin(recipient, transaction, options);
  if (ticket.outstanding === 0) return ticket;
  const late = setTimeout(ready, ticket.deadlineMs + GRACE_MS - now());
  await known;
  clearTimeout(late);
  return ticket;
}

function decide(gate: Gate, ticket: Ticket, transaction: Transaction, recorder: Recorder, now: () => number) {
  const decision = gate.settle(ticket, transaction, 'explain');
  const said = { reply: printReply(decision.reply) };
  const facts =
    decision.kind === 'accept' ? said : { ...said, reason: decision.reason, disconnect: yesOrNo(decision.disconnect) };
  recorder({ stage: 'reply', atMs: now(), facts });
  return decision;
}

function yesOrNo(is: boolean): string {
  return is ? 'yes' : 'no';
}

/** What the thread that asked says its cache would do. */
function cachedIn(steps: readonly Step[]): Explanation['cached'] {
  const forMs = Number(steps.findLast(({ stage }) => stage === 'keep')?.facts.forMs ?? 0);
  return forMs > 0 ? { forMs } : null;
}

function describeDelivery(delivery: DeliveryRouting): ExplainedDelivery {
  switch (delivery.kind) {
    case 'discard':
      return { kind: 'discard' };
    case 'known':
      return { kind: 'none', detail: detailOf(delivery.verdict) };
    case 'ask':
      return {
        kind: 'host',
        recipient: delivery.recipient.address,
        tiers: delivery.route.tiers.map((tier) => tier.map(serverName)),
      };
  }
}

function detailOf(verdict: Verdict): string {
  switch (verdict.kind) {
    case 'valid':
      return 'no delivery host';
    case 'failed':
      return `failed ${verdict.cause}: ${verdict.detail}`;
    case 'unknown':
    case 'refused':
    case 'temporary':
      return `${verdict.kind}: ${printReply(verdict.reply)}`;
  }
}

/** SPEC 1.3 */
function exitOf({ code }: Reply): Explanation['exit'] {
  if (code < 300) return 0;
  return code < 500 ? 3 : 1;
}
