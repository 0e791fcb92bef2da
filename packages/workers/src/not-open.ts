/** How a conversation ends that came to nothing. */
import { type Broken, type Cause, type Conversation, linger, type Reply } from '@callahead/core';
import type { Trouble } from './judge.ts';

/** The server cannot be asked. Its connections are closed once `gone` settles. */
export type NotOpen = Readonly<{ lines: readonly string[]; gone: Promise<void> }> &
  (
    | Readonly<{ kind: 'temporary'; reply: Reply }>
    | Readonly<{ kind: 'failed'; cause: Cause; detail: string; during: 'dialing' | 'conversation' }>
  );

const QUIT_TIMEOUT_MS = 1000;

/** It broke; `cause` where that is not what broke it. */
export function broken(conversation: Conversation, why: Broken, cause: Cause = why.cause): NotOpen {
  const { detail, reply } = why;
  const lines = conversation.transcript();
  const gone = conversation.closed.then(linger);
  // A 421 that nobody asked for is what the server says before it goes.
  if (reply?.code === 421) return { kind: 'temporary', reply, lines, gone };
  return { kind: 'failed', cause, detail, during: 'conversation', lines, gone };
}

/** We say QUIT. */
export function refused(conversation: Conversation, why: Trouble): NotOpen {
  const lines = conversation.transcript();
  const gone = conversation
    .quit(QUIT_TIMEOUT_MS)
    .then(() => conversation.closed)
    .then(linger);
  return why.kind === 'temporary' ? { ...why, lines, gone } : { ...why, during: 'conversation', lines, gone };
}
