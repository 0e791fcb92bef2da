import type { Probe } from '@callahead/core';

/** How a profile's servers may be used: so many connections to each, and when to leave one alone. */
export type Terms = Readonly<{ generation: number; maximum: number; failures: number; maxPauseMs: number }>;

/** The terms of each profile: those of the newest generation that anybody brought. */
export type TermsTable = Readonly<{
  of(profile: string): Terms | undefined;
  /** True: they are newer than what was known. */
  learn(profile: string, generation: number, probe: Probe): boolean;
  /** These are all profiles of a generation. Those that are none any more have their terms while `used` says so. */
  renew(generation: number, probes: Readonly<Record<string, Probe>>): void;
  /** Forgets the terms of profiles that are no more and that nobody uses. */
  tidy(): void;
}>;

export function createTerms(used: (profile: string) => boolean): TermsTable {
  const table = new Map<string, Terms>();
  let profiles: ReadonlySet<string> | null = null;

  function learn(profile: string, generation: number, probe: Probe): boolean {
    const known = table.get(profile);
    if (known !== undefined && known.generation >= generation) return false;
    table.set(profile, { generation, maximum: probe.maxConnectionsPerServer, ...probe.breaker });
    return true;
  }

  function tidy(): void {
    if (profiles === null) return;
    for (const profile of table.keys()) if (!profiles.has(profile) && !used(profile)) table.delete(profile);
  }

  return {
    of: (profile) => table.get(profile),
    learn,
    renew(generation, probes) {
      profiles = new Set(Object.keys(probes));
      for (const [profile, probe] of Object.entries(probes)) learn(profile, generation, probe);
      tidy();
    },
    tidy,
  };
}
