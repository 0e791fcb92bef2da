/** What the API shows of verdicts. */
import {
  type CacheEntry,
  type Profile,
  printReply,
  type Recipient,
  type Verdict,
  type VerdictKind,
} from '@callahead/core';

export type CacheEntryShown = Readonly<{
  profile: string;
  destination: string;
  recipient: string;
  kind: VerdictKind;
  server: string;
  reply: string | null;
  ref: string;
  ageSeconds: number;
  ttlSeconds: number;
}>;

export function entryShown({ profile, destination, recipient, verdict, ageMs, ttlMs }: CacheEntry): CacheEntryShown {
  return {
    profile,
    destination,
    recipient,
    kind: verdict.kind,
    server: verdict.server,
    reply: replyOf(verdict),
    ref: verdict.kind === 'valid' ? '' : verdict.ref,
    ageSeconds: ageMs / 1_000,
    ttlSeconds: ttlMs / 1_000,
  };
}

/** The answer of verify. */
export function verificationShown(
  recipient: Recipient,
  profile: Profile,
  verdict: Verdict,
  more: Readonly<{ catchAll: boolean; seconds: number }>,
): object {
  const isFailed = verdict.kind === 'failed';
  return {
    recipient: recipient.address,
    profile: profile.name,
    kind: verdict.kind,
    code: codeOf(verdict),
    source: verdict.source,
    server: verdict.server,
    reply: replyOf(verdict),
    cause: isFailed ? verdict.cause : null,
    detail: isFailed ? verdict.detail : null,
    ref: verdict.kind === 'valid' ? '' : verdict.ref,
    ...more,
  };
}

function codeOf(verdict: Verdict): number {
  switch (verdict.kind) {
    case 'valid':
      return 250;
    case 'failed':
      return 451;
    case 'unknown':
    case 'refused':
    case 'temporary':
      return verdict.reply.code;
  }
}

function replyOf(verdict: Verdict): string | null {
  return verdict.kind === 'valid' || verdict.kind === 'failed' ? null : printReply(verdict.reply);
}
