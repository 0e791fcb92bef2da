/** One thing that was found out on the way of a recipient, for `explain`. Facts are already fit to print. */
export type Step = Readonly<{ stage: string; atMs: number; facts: Readonly<Record<string, string>> }>;

/** Called only where somebody listens: `recorder?.(…)`, so nothing is built when absent. */
export type Recorder = (step: Step) => void;
