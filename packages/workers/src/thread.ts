/** What runs in a thread: the actors' host, with sockets for connections. piscina calls `work` by its name. */
import { dial, openConversation } from '@callahead/core';
import { createHost } from './host.ts';
import type { Connect } from './opening.ts';
import type { Work } from './threads.ts';
import { serve } from './work.ts';

const now = (): number => performance.now();

export function work(options: Work): Promise<void> {
  return serve(options, (post) =>
    createHost({ post, now, connect, threads: options.threads, random: () => Math.random() }),
  );
}

const connect: Connect = async (target, { timeoutMs, commandTimeoutMs }) => {
  const dialed = await dial(target, timeoutMs);
  if (dialed.kind === 'failed') return dialed;
  return { kind: 'open', conversation: openConversation(dialed.socket, { now, commandTimeoutMs }) };
};
