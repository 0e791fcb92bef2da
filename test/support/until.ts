import { setTimeout as pause } from 'node:timers/promises';

const PATIENCE_MS = 20_000;

/** Waits for what no event tells; rejects, saying what it waited for, where that does not come. */
export async function until(isTrue: () => boolean | Promise<boolean>): Promise<void> {
  const untilMs = performance.now() + PATIENCE_MS;
  while (!(await isTrue())) {
    if (performance.now() > untilMs) throw new Error(`it does not come true: ${isTrue}`);
    await pause(2);
  }
}
