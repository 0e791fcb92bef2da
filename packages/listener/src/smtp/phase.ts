import type { Message } from './message.ts';

/** What a session waits for, and so what an octet of its client means. */
export type Phase =
  /** Who speaks before the greeting is no mail client. */
  | Readonly<{ kind: 'greeting' }>
  | Readonly<{ kind: 'commands' }>
  /** A command came behind which nothing may come before its reply; whoever goes on all the same has done so by now. */
  | Readonly<{ kind: 'listening' }>
  /** STARTTLS was said, and the handshake has not ended. */
  | Readonly<{ kind: 'securing' }>
  /** DATA was said; the next hop is being asked before our 354. */
  | Readonly<{ kind: 'opening'; leaving: AbortController }>
  | Readonly<{ kind: 'message'; message: Message }>
  /** The message has ended; the next hop has the word. */
  | Readonly<{ kind: 'finishing'; message: Message }>
  | Readonly<{ kind: 'closed' }>;
