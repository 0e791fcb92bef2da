import type { Reply } from '@callahead/core';
import type { Transaction } from '../incoming.ts';
import type { Spoken } from '../replies.ts';

/** What comes after a command where that is no command. */
export type Next = Readonly<{ kind: 'message'; transaction: Transaction }> | Readonly<{ kind: 'secure' }>;

/** What a command gets. `fault`: it counts as a mistake; `last`: nothing is said after it. */
export type Said = Readonly<{ kind: 'say' | 'fault' | 'last'; reply: Spoken }>;

/** What a command leads to. `answered`: its place among the replies is taken. */
export type Outcome = Said | Readonly<{ kind: 'answered' }> | Next;

export const ANSWERED: Outcome = { kind: 'answered' };

export function say(reply: Reply): Said {
  return { kind: 'say', reply };
}

export function mistake(reply: Reply): Said {
  return { kind: 'fault', reply };
}

export function last(reply: Reply): Said {
  return { kind: 'last', reply };
}

/** A reply about what was asked for counts as a mistake only where that was not understood. */
export function refusal(reply: Reply): Said {
  return reply.code < 505 || reply.code === 555 ? mistake(reply) : say(reply);
}
