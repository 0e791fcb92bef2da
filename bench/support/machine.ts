import { availableParallelism, cpus, loadavg } from 'node:os';

/** The machine and the day, for the head of a table. */
export function machine(): string {
  const model = cpus()[0]?.model.trim() ?? 'unknown processor';
  const date = new Date().toISOString().slice(0, 10);
  return `${availableParallelism()} × ${model}, Node ${process.versions.node}, ${date}`;
}

/** What else the machine does spoils figures: the processes that wanted a core during the last minute. */
export function busy(): number {
  return loadavg()[0] ?? 0;
}
