/** What a server's reply means (SPEC 4.2–4.5). Pure: the caller knows the stage and does what follows. */
import { type Cause, isAboutUs, type Reply, saysEnough, saysUnknown } from '@callahead/core';

/** A server that cannot be asked; it says nothing about any recipient (SPEC 4.2). */
export type Trouble =
  | Readonly<{ kind: 'temporary'; reply: Reply }>
  | Readonly<{ kind: 'failed'; cause: Cause; detail: string }>;

/**
 * What a reply to RCPT means. `sender`: it is about our MAIL FROM. `enough`: ask again in a new transaction. `leaving`: the connection is done.
 * `protocol`: no answer to the question; the connection is closed.
 */
export type Meaning = 'valid' | 'unknown' | 'refused' | 'temporary' | 'sender' | 'enough' | 'leaving' | 'protocol';

/** Judges the reply to the greeting, to EHLO or HELO, to AUTH, and to MAIL. null: go on. */
export function judgeServer(stage: 'greeting' | 'hello' | 'auth' | 'mail', reply: Reply): Trouble | null {
  const detail = `${stage}: ${reply.code} ${reply.text}`;
  switch (Math.floor(reply.code / 100)) {
    case 2:
      return null;
    case 4:
      return { kind: 'temporary', reply };
    case 5:
      return { kind: 'failed', cause: stage === 'greeting' ? 'greeting' : 'policy', detail };
  }
  return { kind: 'failed', cause: 'protocol', detail };
}

const ABOUT_THE_SENDER = /^[45]\.1\.[78]$/;

/** Judges the reply to a RCPT. `first`: it is the first RCPT of its transaction. */
export function judgeRecipient(reply: Reply, first: boolean, unknownRecipientCodes: readonly string[]): Meaning {
  const { code, enhanced } = reply;
  if (code === 421) return 'leaving';
  if (code < 200 || (code >= 300 && code < 400)) return 'protocol';
  if (code < 300) return 'valid';
  if (enhanced !== null && ABOUT_THE_SENDER.test(enhanced)) return 'sender';
  if (!first && saysEnough(reply)) return 'enough';
  if (code < 500) return 'temporary';
  if (saysUnknown(reply)) return 'unknown';
  if (unknownRecipientCodes.includes(String(code))) return 'unknown';
  if (enhanced !== null && unknownRecipientCodes.includes(enhanced)) return 'unknown';
  if (isAboutUs(reply)) return 'protocol';
  return 'refused';
}

/** The circumstances of a 5xx to RCPT. */
export type Circumstances = Readonly<{
  /** The server's close was the next thing that came (SPEC 4.5). */
  closedBehind: boolean;
  /** It was the only RCPT of its session: there is no better way to ask. */
  alone: boolean;
  /** A RCPT before it in the transaction was accepted. */
  acceptedBefore: boolean;
  sender: string;
  /** The server is known to answer shared transactions truly. */
  sharedIsSafe: boolean;
}>;

/** Why a 5xx to RCPT is no verdict yet (SPEC 4.5): `closed`, `shared`; null: it is one. */
export function doubt(at: Circumstances): 'closed' | 'shared' | null {
  if (at.alone) return null;
  if (at.acceptedBefore && !at.sharedIsSafe && isSystemSender(at.sender)) return 'shared';
  return at.closedBehind ? 'closed' : null;
}

function isSystemSender(sender: string): boolean {
  return sender === '' || /^postmaster@/i.test(sender);
}
