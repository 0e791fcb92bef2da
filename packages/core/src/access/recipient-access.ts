import type { Recipient } from '../recipient.ts';
import type { Reply } from '../verdict.ts';

/** What the recipient access table says about one recipient (SPEC 6.1). `entry` is the pattern that matched, as written; empty when none did. */
export type AccessDecision =
  | Readonly<{ kind: 'accept'; entry: string; bypassCallAhead: boolean }>
  | Readonly<{ kind: 'reject'; entry: string; reply: Reply }>;

/** A recipient access table, compiled: constant-time for addresses and domains, whatever its size. */
export type RecipientAccess = Readonly<{ decide(recipient: Recipient): AccessDecision }>;
