import type { ServerAuth } from '../profile.ts';
import type { Conversation, Said } from './conversation.ts';

/** Says who we are with AUTH PLAIN (RFC 4616) or, where that is not offered, AUTH LOGIN. The last word of the server; null: it offers neither. Nothing of it shows in the transcript. */
export async function authenticate(
  conversation: Conversation,
  auth: ServerAuth,
  mechanisms: readonly string[],
  deadlineMs: number,
): Promise<Said | null> {
  const password = auth.password.reveal();
  const both = base64(`\0${auth.user}\0${password}`);
  const lines = mechanisms.includes('PLAIN')
    ? [`AUTH PLAIN ${both}`]
    : ['AUTH LOGIN', base64(auth.user), base64(password)];
  if (!mechanisms.includes('PLAIN') && !mechanisms.includes('LOGIN')) return null;
  conversation.hide([both, base64(auth.user), base64(password), password]);
  let said: Said | null = null;
  for (const line of lines) {
    said = await conversation.cmd(line, deadlineMs);
    if (said.kind === 'broken' || said.reply.code !== 334) break;
  }
  conversation.hide([]);
  return said;
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
