import type { Answer, ToWorker } from '@callahead/core';

/** What a question is without its number. */
type Asked =
  | Omit<Extract<ToWorker, { kind: 'flush' }>, 'question'>
  | Omit<Extract<ToWorker, { kind: 'lookup' }>, 'question'>
  | Omit<Extract<ToWorker, { kind: 'report' }>, 'question'>
  | Omit<Extract<ToWorker, { kind: 'dump' }>, 'question'>;

const PATIENCE_MS = 5_000;

type Open = { readonly missing: Set<number>; readonly answers: Answer[]; done: () => void };

/** Questions to all threads at once. A thread that dies answers nothing, which is right: what it knew is gone. */
export type Questions = {
  /** The answers of those that answered within five seconds. */
  put(asked: Asked): Promise<Answer[]>;
  answered(thread: number, question: number, answer: Answer): void;
  lost(thread: number): void;
  close(): void;
};

export type QuestionsOptions = Readonly<{
  threads: number;
  /** Sends a message to a thread; false where there is none. */
  send: (thread: number, message: ToWorker) => boolean;
  now: () => number;
  at: (deadlineMs: number, run: () => void) => void;
}>;

export function createQuestions({ threads, send, now, at }: QuestionsOptions): Questions {
  const open = new Map<number, Open>();
  let serial = 0;

  function put(asked: Asked): Promise<Answer[]> {
    const question = serial++;
    return new Promise((resolve) => {
      const answers: Answer[] = [];
      const done = (): void => {
        if (open.delete(question)) resolve(answers);
      };
      const missing = new Set<number>();
      open.set(question, { missing, answers, done });
      for (let thread = 0; thread < threads; thread++) {
        if (send(thread, { ...asked, question })) missing.add(thread);
      }
      if (missing.size === 0) done();
      else at(now() + PATIENCE_MS, done);
    });
  }

  function answered(thread: number, question: number, answer: Answer): void {
    const one = open.get(question);
    if (one === undefined || !one.missing.delete(thread)) return;
    one.answers.push(answer);
    if (one.missing.size === 0) one.done();
  }

  function lost(thread: number): void {
    for (const one of open.values()) if (one.missing.delete(thread) && one.missing.size === 0) one.done();
  }

  function close(): void {
    for (const one of open.values()) one.done();
  }

  return { put, answered, lost, close };
}
