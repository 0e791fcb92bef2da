/** What runs in a thread: the actors' host, with sockets for connections. piscina calls `work` by its name. */
import { createConnect } from './connect.ts';
import { createHost } from './host.ts';
import type { Work } from './threads.ts';
import { serve } from './work.ts';

const now = (): number => performance.now();

export function work(options: Work): Promise<void> {
  const connect = createConnect(now);
  return serve(
    options,
    (post) => createHost({ post, now, connect, threads: options.threads, random: () => Math.random() }),
    now,
  );
}
