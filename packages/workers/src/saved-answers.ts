import type { Probe, SavedAnswers, Verdict } from '@callahead/core';

type Saved = Readonly<{
  destination: string;
  recipient: string;
  verdict: Verdict;
  storedAtMs: number;
  expiresAtMs: number;
}>;

type Columns = {
  readonly recipients: string[];
  readonly verdicts: Verdict[];
  readonly storedAtMs: number[];
  readonly expiresAtMs: number[];
};

/** What answers depend on besides their destination: which questions are one, and how replies are understood. */
export function cacheSettings({ foldLocalPart, unknownRecipientCodes }: Probe): string {
  return `${foldLocalPart} ${unknownRecipientCodes.join()}`;
}

/** Gathers answers by their destinations. */
export function createSaved(profile: string, settings: string) {
  const table = new Map<string, Columns>();

  function add({ destination, recipient, verdict, storedAtMs, expiresAtMs }: Saved): void {
    const known = table.get(destination);
    const columns = known ?? { recipients: [], verdicts: [], storedAtMs: [], expiresAtMs: [] };
    if (known === undefined) table.set(destination, columns);
    columns.recipients.push(recipient);
    columns.verdicts.push(verdict);
    columns.storedAtMs.push(storedAtMs);
    columns.expiresAtMs.push(expiresAtMs);
  }

  function answers(): readonly SavedAnswers[] {
    return [...table].map(([destination, columns]) => ({ profile, destination, settings, ...columns }));
  }

  return { add, answers };
}
