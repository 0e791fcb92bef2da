import { z } from 'zod';
import type { EngineSettings } from '../settings.ts';
import { about, count, expecting, section } from './fields.ts';

const threads = 'auto or 1..256';
const problem = expecting(threads);

export const engine = section(
  {
    threads: z
      .union([z.literal('auto'), z.int(problem).min(1, problem).max(256, problem)], problem)
      .prefault('auto')
      .meta(about(threads, 'Worker threads; auto is one less than the machine has cores, and at least 1.')),
    maxPending: count(50_000, 4, 10_000_000, 'Recipients that may wait for a verdict at once, over all sessions.'),
    maxDestinations: count(10_000, 1, 1_000_000, 'Destinations remembered at once; the longest idle one gives way.'),
  },
  'The engine that asks the servers.',
);

/** `cores` of this machine. */
export function buildEngine(settings: z.output<typeof engine>, cores: number): EngineSettings {
  return { ...settings, threads: settings.threads === 'auto' ? Math.max(1, cores - 1) : settings.threads };
}
