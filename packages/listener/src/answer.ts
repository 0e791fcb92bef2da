import type { Action, Actions, Cause, Decision, Reply, Verdict } from '@callahead/core';
import { oneLine } from '@callahead/core';
import { SAYS } from './texts.ts';

/** What is known besides the verdict. */
export type Circumstances = Readonly<{
  /** Is there a host that would take the mail, or is it to be thrown away? Nothing is accepted on a failure without (SPEC 4.8). */
  deliverable: boolean;
  /** The reference where the verdict carries none. */
  reference: string;
}>;

type NotValid = Exclude<Verdict, { kind: 'valid' }>;

const ACCEPT: Decision = { kind: 'accept', reply: SAYS.recipientOk };

/** What the client is told about a recipient, given what is known about it (SPEC 4.8, 4.9). */
export function answer(verdict: Verdict, actions: Actions, { deliverable, reference }: Circumstances): Decision {
  if (verdict.kind === 'valid') return ACCEPT;
  const ref = verdict.ref === '' ? reference : verdict.ref;
  const reason = verdict.kind === 'failed' ? `failed-${verdict.cause}` : verdict.kind;
  const reject = (reply: Reply, disconnect = reply.code === 421): Decision => {
    return { kind: 'reject', reply, reason, ref, disconnect };
  };
  // What we could not do ourselves never opens the door, whatever was asked for.
  if (verdict.kind === 'failed' && NEVER_OPEN.has(verdict.cause)) return reject(own(verdict, actions, ref));
  // As if nobody had been asked: what is wrong with the delivery is told by the delivery.
  if (actions.mode === 'monitor') return ACCEPT;

  const action = chosen(verdict, actions);
  switch (action.kind) {
    case 'accept':
      return deliverable
        ? ACCEPT
        : reject(reply(451, '4.4.4', `No delivery host is known now, try again later (${ref})`));
    case 'reject':
      return reject(own(verdict, actions, ref));
    case 'reply': {
      const enhanced = action.enhanced ?? fallback(verdict, action.code);
      return reject(reply(action.code, enhanced, action.text), action.disconnect || action.code === 421);
    }
  }
}

const NEVER_OPEN: ReadonlySet<Cause> = new Set(['overload', 'loop']);

function chosen(verdict: NotValid, actions: Actions): Action {
  switch (verdict.kind) {
    case 'unknown':
      return actions.onUnknown;
    case 'refused':
      return actions.onRefused;
    case 'temporary':
      return actions.onTemporaryFailure;
    case 'failed':
      return actions.onValidationFailure;
  }
}

/** The reply that belongs to a verdict when no other was configured. */
function own(verdict: NotValid, actions: Actions, ref: string): Reply {
  if (verdict.kind === 'failed') return reply(451, CAUSES[verdict.cause], `${TEXTS.failed} (${ref})`);
  const permanent = verdict.kind !== 'temporary';
  const code = passedOn(verdict.reply.code, permanent);
  const shown = actions.serverReply === 'pass' ? oneLine(verdict.reply.text) : '';
  const text = shown === '' ? `${TEXTS[verdict.kind]} (${ref})` : shown;
  return reply(code, fitting(verdict.reply.enhanced, code) ?? fallback(verdict, code), text);
}

/** SPEC 4.8. */
const CAUSES: Readonly<Record<Cause, string>> = {
  connect: '4.4.1',
  timeout: '4.4.2',
  dns: '4.4.3',
  ldap: '4.4.3',
  'no-route': '4.4.4',
  tls: '4.7.5',
  overload: '4.3.2',
  loop: '4.4.6',
  greeting: '4.5.0',
  policy: '4.5.0',
  protocol: '4.5.0',
};

/** None of them names a server: that is what the reference is for. */
const TEXTS: Readonly<Record<NotValid['kind'], string>> = {
  unknown: 'No such recipient here',
  refused: 'This recipient does not take the message',
  temporary: 'This recipient cannot be reached now, try again later',
  failed: 'The recipient cannot be verified now, try again later',
};

/** Codes of a server that are fit for its client (SPEC 4.9). */
const PASSED_ON: ReadonlySet<number> = new Set([450, 451, 452, 550, 551, 552, 553, 554, 556]);

/** The code itself where it is fit for a sender and of its class, else the plain one of that class (SPEC 4.9). */
export function passedOn(code: number, permanent: boolean): number {
  if (PASSED_ON.has(code) && code >= 500 === permanent) return code;
  return permanent ? 550 : 451;
}

/** An enhanced code counts only where it is of the class of the basic one (RFC 3463 §2). */
function fitting(enhanced: string | null, code: number): string | null {
  return enhanced !== null && Number(enhanced[0]) === Math.floor(code / 100) ? enhanced : null;
}

function fallback(verdict: NotValid, code: number): string {
  if (code < 500) return verdict.kind === 'failed' ? CAUSES[verdict.cause] : '4.0.0';
  if (code === 551) return '5.1.6';
  if (code === 552) return '5.2.2';
  return verdict.kind === 'unknown' ? '5.1.1' : '5.0.0';
}

/** What the sender is told about a message that the next hop, or our half of the relay, took or did not take (SPEC 7.1). */
export function answerMessage(said: Reply, serverReply: Actions['serverReply'], reference: string): Reply {
  const class_ = Math.floor(said.code / 100);
  if (class_ === 2) return reply(250, '2.0.0', `Message taken (${reference})`);
  const code = passedOn(said.code, class_ === 5);
  const enhanced = fitting(said.enhanced, code) ?? (code < 500 ? '4.0.0' : '5.0.0');
  const shown = serverReply === 'pass' ? oneLine(said.text) : '';
  if (shown !== '') return reply(code, enhanced, shown);
  const masked = code < 500 ? 'The message cannot be delivered now, try again later' : 'The message was refused';
  return reply(code, enhanced, `${masked} (${reference})`);
}

function reply(code: number, enhanced: string | null, text: string): Reply {
  return { code, enhanced, text };
}
