import type { Step } from './step.ts';
import type { Reply, Verdict } from './verdict.ts';

/** Where the mail would go. `host`: tiers of servers by name, better preferences first, and under which address the recipient is known there. */
export type ExplainedDelivery =
  | Readonly<{ kind: 'host'; recipient: string; tiers: readonly (readonly string[])[] }>
  | Readonly<{ kind: 'discard' }>
  | Readonly<{ kind: 'none'; detail: string }>;

/**
 * One recipient's way through the gateway (SPEC 1.3). `atMs` of a step counts from the start; a stage that begins with `delivery.` is of the search for
 * the delivery host. `verdict`: null where nobody was asked. `cached`: how long the gateway would keep the verdict; null: it would not. `delivery`:
 * null where none was looked for. `exit`: the exit code of the command.
 */
export type Explanation = Readonly<{
  recipient: string;
  listener: string;
  client: string | null;
  steps: readonly Step[];
  dialogue: readonly string[];
  verdict: Verdict | null;
  cached: Readonly<{ forMs: number }> | null;
  reply: Reply;
  delivery: ExplainedDelivery | null;
  exit: 0 | 1 | 3;
}>;
