import type { Reply } from '@callahead/core';

/**
 * What a delivery host said against single recipients of a message that it would have taken for others: the sender's retry hears it at RCPT
 * (SPEC 7.3). A hold is of one envelope sender (`''` for the null sender) and one recipient, both addresses in canonical form, lives `holdTimeMs`,
 * and answers once.
 */
export type Holds = Readonly<{
  put(sender: string, recipient: string, reply: Reply): void;
  take(sender: string, recipient: string): Reply | null;
  /** Holds that are kept, outlived ones perhaps included. */
  size(): number;
}>;

/** As many mails as can be waiting for a retry before the oldest hold is dropped; its recipient is then refused at delivery once more. */
const MAX_HOLDS = 100_000;

type Hold = Readonly<{ reply: Reply; untilMs: number }>;

export function createHolds(options: Readonly<{ holdTimeMs: number; now: () => number; maxHolds?: number }>): Holds {
  const { holdTimeMs, now, maxHolds = MAX_HOLDS } = options;
  // All live equally long, so the order of insertion is the order of expiry.
  const holds = new Map<string, Hold>();

  function dropOldest(): void {
    for (const [key, hold] of holds) {
      if (holds.size <= maxHolds && hold.untilMs > now()) return;
      holds.delete(key);
    }
  }

  return {
    put(sender, recipient, reply) {
      const key = keyOf(sender, recipient);
      holds.delete(key);
      holds.set(key, { reply, untilMs: now() + holdTimeMs });
      dropOldest();
    },
    take(sender, recipient) {
      const key = keyOf(sender, recipient);
      const hold = holds.get(key);
      if (hold === undefined) return null;
      holds.delete(key);
      return hold.untilMs > now() ? hold.reply : null;
    },
    size: () => holds.size,
  };
}

// A line end occurs in no address.
function keyOf(sender: string, recipient: string): string {
  return `${sender}\n${recipient}`;
}
