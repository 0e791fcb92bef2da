/** `atOnce`: questions that may be asked at the same time. `ahead`: questions that may be begun before the oldest of them has its answer. */
export type Bounds = Readonly<{ atOnce: number; ahead: number }>;

/** `answer` null: not yet. */
type Slot<Answer> = { answer: Readonly<{ is: Answer }> | null };

/**
 * Asks many questions and yields their answers in the order of the questions: all that are ready, once a turn. Takes no question from `questions`
 * before there is room for it. Ends early, without those that are still asked, when `stopped` says so. Rejects as `questions` does, after the answers that are due.
 */
export async function* inOrder<Question, Answer>(
  questions: AsyncIterable<Question>,
  ask: (question: Question) => Answer | Promise<Answer>,
  { atOnce, ahead }: Bounds,
  stopped: AbortSignal,
): AsyncGenerator<readonly Answer[]> {
  const slots = new Set<Slot<Answer>>();
  const bell = createBell();
  let asking = 0;
  let source: 'open' | 'ended' | Readonly<{ broken: unknown }> = 'open';

  async function take(): Promise<void> {
    try {
      for await (const question of questions) {
        begin(question);
        while (!stopped.aborted && (asking >= atOnce || slots.size >= ahead)) await bell.rung();
        if (stopped.aborted) break;
      }
      source = 'ended';
    } catch (error) {
      source = { broken: error };
    }
    bell.ring();
  }

  function begin(question: Question): void {
    // Before it has a place: where it throws, nobody waits for its answer.
    const answer = ask(question);
    const slot: Slot<Answer> = { answer: null };
    slots.add(slot);
    if (!(answer instanceof Promise)) return void settle(slot, answer);
    asking++;
    // Who is asked never rejects.
    void answer.then((is) => {
      asking--;
      settle(slot, is);
    });
  }

  function settle(slot: Slot<Answer>, is: Answer): void {
    slot.answer = { is };
    bell.ring();
  }

  function due(): readonly Answer[] {
    const answers: Answer[] = [];
    for (const slot of slots) {
      if (slot.answer === null) break;
      answers.push(slot.answer.is);
      slots.delete(slot);
    }
    if (answers.length > 0) bell.ring();
    return answers;
  }

  stopped.addEventListener('abort', bell.ring, { once: true });
  // It never rejects: what breaks it is in `source`.
  void take();
  for (;;) {
    const answers = due();
    if (answers.length > 0) yield answers;
    else if (stopped.aborted || (source !== 'open' && slots.size === 0)) break;
    else await bell.rung();
    await turn();
  }
  if (typeof source === 'object') throw (source as { broken: unknown }).broken;
}

/** Wakes all who wait for something to change. */
function createBell(): Readonly<{ ring(): void; rung(): Promise<void> }> {
  let { promise, resolve } = Promise.withResolvers<void>();
  return {
    ring() {
      resolve();
      ({ promise, resolve } = Promise.withResolvers<void>());
    },
    rung: () => promise,
  };
}

/** What is answered in this turn of the event loop leaves together. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
