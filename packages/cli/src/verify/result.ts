import { parseRecipient, printReply, type Recipient, type Reply, type Source, type Verdict } from '@callahead/core';

export const KINDS = ['valid', 'unknown', 'refused', 'temporary', 'failed', 'invalid'] as const;
/** That of the verdict; `invalid`: it is no address, nobody was asked. */
export type ResultKind = (typeof KINDS)[number];

/**
 * What is known about one address. `recipient`: its canonical form, or as it was given where it is `invalid`. `code`: 250 for a valid one, that of the reply where
 * there is one, 451 where nobody could say anything. `source`, `server`, `profile`: empty where there is none. `reply`, `cause`, `detail`, `catchAll` as in the HTTP API.
 */
export type Result = Readonly<{
  recipient: string;
  kind: ResultKind;
  code: number;
  source: Source | '';
  server: string;
  profile: string;
  reply: string | null;
  cause: string | null;
  detail: string | null;
  /** The server accepts whom nobody can have: its yes says nothing. */
  catchAll: boolean;
}>;

/** A line of the input: an address to ask about, or one that is none. */
export type Address =
  | Readonly<{ kind: 'ok'; recipient: Recipient }>
  | Readonly<{ kind: 'bad'; text: string; reply: Reply }>;

const NO_DOMAIN: Reply = { code: 501, enhanced: '5.1.3', text: 'Bad recipient address syntax: it has no domain' };

export function readAddress(text: string): Address {
  // A sender that has such an address announces SMTPUTF8 for it.
  const parsed = parseRecipient(text, { smtpUtf8: true });
  switch (parsed.kind) {
    case 'ok':
      return parsed;
    case 'postmaster':
      return { kind: 'bad', text, reply: NO_DOMAIN };
    case 'bad':
      return { kind: 'bad', text, reply: parsed.reply };
  }
}

/** What `recipient` of its result is. */
export function nameOf(address: Address): string {
  return address.kind === 'ok' ? address.recipient.address : address.text;
}

export function invalidResult(text: string, reply: Reply): Result {
  const nobody = { source: '', server: '', profile: '', cause: null, detail: null, catchAll: false } as const;
  return { ...nobody, recipient: text, kind: 'invalid', code: reply.code, reply: printReply(reply) };
}

export function resultOf(
  { address: recipient }: Recipient,
  profile: string,
  verdict: Verdict,
  catchAll: boolean,
): Result {
  const { kind, source, server } = verdict;
  const about = { recipient, kind, source, server, profile, catchAll };
  switch (verdict.kind) {
    case 'valid':
      return { ...about, code: 250, reply: null, cause: null, detail: null };
    case 'failed':
      return { ...about, code: 451, reply: null, cause: verdict.cause, detail: verdict.detail };
    case 'unknown':
    case 'refused':
    case 'temporary':
      return { ...about, code: verdict.reply.code, reply: printReply(verdict.reply), cause: null, detail: null };
  }
}

/** The exit code that one result is worth; the greatest counts (SPEC 1.4). */
export function exitOf(kind: ResultKind): 0 | 1 | 3 {
  switch (kind) {
    case 'valid':
      return 0;
    case 'unknown':
    case 'refused':
    case 'invalid':
      return 1;
    case 'temporary':
    case 'failed':
      return 3;
  }
}
