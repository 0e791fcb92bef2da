import { failed, type Recipient, type Recorder, type Route, type Verdict } from '@callahead/core';

/**
 * One question about one recipient. `deadlineMs` is absolute, of `performance.now()`, and includes all waiting. `fresh`: the servers are asked
 * whatever the caches hold, nobody else's probe is joined, and the answer is not kept (SPEC 1.3); left out, false.
 */
export type Ask = Readonly<{
  recipient: Recipient;
  route: Route;
  deadlineMs: number;
  recorder: Recorder | null;
  fresh?: boolean;
}>;

/** There is no room for it, or nobody to ask it. */
export function overload(detail: string): Verdict {
  return failed('overload', detail, 'server');
}

/** Its time is over, and no thread has said anything. */
export function timeout(): Verdict {
  return failed('timeout', 'no answer within the validation time', 'server');
}
