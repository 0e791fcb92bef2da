import { createRow, type Reply } from '@callahead/core';

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

type Hold = {
  readonly key: string;
  readonly reply: Reply;
  readonly untilMs: number;
  before: Hold | null;
  after: Hold | null;
};

export function createHolds(options: Readonly<{ holdTimeMs: number; now: () => number; maxHolds?: number }>): Holds {
  const { holdTimeMs, now, maxHolds = MAX_HOLDS } = options;
  const holds = new Map<string, Hold>();
  // All live equally long, so the order of arrival is the order of expiry.
  const row = createRow<Hold>();

  function forget(hold: Hold): void {
    holds.delete(hold.key);
    row.remove(hold);
  }

  function dropOldest(): void {
    for (let first = row.first(); first !== null; first = row.first()) {
      if (holds.size <= maxHolds && first.untilMs > now()) return;
      forget(first);
    }
  }

  return {
    put(sender, recipient, reply) {
      const key = keyOf(sender, recipient);
      const known = holds.get(key);
      if (known !== undefined) forget(known);
      const hold: Hold = { key, reply, untilMs: now() + holdTimeMs, before: null, after: null };
      holds.set(key, hold);
      row.append(hold);
      dropOldest();
    },
    take(sender, recipient) {
      // Everybody is asked about, and hardly anybody is held.
      if (holds.size === 0) return null;
      const hold = holds.get(keyOf(sender, recipient));
      if (hold === undefined) return null;
      forget(hold);
      return hold.untilMs > now() ? hold.reply : null;
    },
    size: () => holds.size,
  };
}

// A line end occurs in no address.
function keyOf(sender: string, recipient: string): string {
  return `${sender}\n${recipient}`;
}
