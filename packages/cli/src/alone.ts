import { setTimeout as pause } from 'node:timers/promises';
import type { Canaries } from '@callahead/admin';
import type { Configuration, Profile } from '@callahead/core';
import { openCanaries } from './canaries.ts';
import { type Halves, openHalves } from './halves.ts';

/** `profiles`: those that may be asked by, whose servers are held to their canary. `threads`: those of the configuration where they are left out. */
export type AloneOptions = Readonly<{
  profiles: readonly Profile[];
  onFatal: (error: Error) => void;
  threads?: number;
}>;

/** How long the servers may take over their goodbye. */
const QUIT_WITHIN_MS = 1_000;
/** Servers that take longer to answer their canary are found out while others are asked about. */
const CANARIES_WITHIN_MS = 5_000;

/** Opens, for as long as `work` takes, what a gateway asks with, in a process that is none. Rejects as `work` does. */
export async function askAlone<Done>(
  configuration: Configuration,
  { profiles, ...options }: AloneOptions,
  work: (halves: Halves, canaries: Canaries) => Promise<Done>,
): Promise<Done> {
  // What a gateway would log is in what the command prints.
  const emit = (): void => {};
  // The gateway's own sockets, whether or not it runs: a route to them is a loop.
  const listenAddresses = () => configuration.listeners.flatMap(({ listen }) => listen);
  const halves = openHalves(configuration, { ...options, emit, listenAddresses });
  const { router, engine, now } = halves;
  const canaries = openCanaries({ newest: () => ({ configuration, router }), engine, emit, now });
  try {
    // A gateway's threads have started long before; the time of a recipient is not for that.
    await engine.up();
    canaries.renew(new Map(profiles.map((profile) => [profile.name, profile])));
    await Promise.race([canaries.asked(), pause(CANARIES_WITHIN_MS, null, { ref: false })]);
    return await work(halves, canaries);
  } finally {
    canaries.close();
    await halves.close(QUIT_WITHIN_MS);
  }
}
