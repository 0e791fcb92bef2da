/** The promise's value, or `late()` where it has none by `deadlineMs`. The promise goes on for whoever else waits for it; it must not reject. */
export function by<T>(promise: Promise<T>, deadlineMs: number, now: () => number, late: () => T): Promise<T> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(late()), Math.max(0, deadlineMs - now()));
    void promise.then((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}
