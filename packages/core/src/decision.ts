import type { Reply } from './verdict.ts';

/** What the client is told about one RCPT. `reason` and `ref` are for the log (SPEC 10.5). */
export type Decision =
  | Readonly<{ kind: 'accept'; reply: Reply }>
  | Readonly<{ kind: 'reject'; reply: Reply; reason: string; ref: string; disconnect: boolean }>;
