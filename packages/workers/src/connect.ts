import { dial, openConversation } from '@callahead/core';
import type { Connect } from './opening.ts';

/** Connects over the network. `now` is the clock of the deadlines. */
export function createConnect(now: () => number): Connect {
  return async (to, { timeoutMs, commandTimeoutMs }) => {
    const dialed = await dial(to, timeoutMs);
    if (dialed.kind === 'failed') return dialed;
    return { kind: 'open', conversation: openConversation(dialed.socket, { now, commandTimeoutMs }) };
  };
}
