import { type Canaries, createCanaries } from '@callahead/admin';
import type { Configuration, Emit, ListenerSettings, Profile, Recipient, Verdict } from '@callahead/core';
import { failed } from '@callahead/core';
import type { Engine } from '@callahead/workers';
import type { Generation } from './generation.ts';
import { createValidate } from './halves.ts';

type CanaryParts = Readonly<{
  newest: () => Pick<Generation, 'configuration' | 'router'>;
  engine: Engine;
  emit: Emit;
  now: () => number;
}>;

/** All profiles by which a listener's recipients may be asked about. */
export function profilesOf({ profile, recipientAccess }: ListenerSettings): readonly Profile[] {
  return [...(profile === null ? [] : [profile]), ...recipientAccess.profiles];
}

/** The canaries of a gateway, which ask as its newest configuration would ask about any recipient, but for its caches. */
export function openCanaries({ newest, engine, emit, now }: CanaryParts): Canaries {
  async function ask(name: string, recipient: Recipient): Promise<Verdict> {
    const { configuration, router } = newest();
    const profile = configuration.profiles.get(name);
    if (profile === undefined) return failed('no-route', 'the profile is no more');
    const validate = createValidate(router, (question) => engine.validate({ ...question, fresh: true }));
    const deadlineMs = now() + profile.validationTimeoutMs;
    return validate({ recipient, profile, listener: listenerOf(profile, configuration), deadlineMs, recorder: null });
  }

  function later(afterMs: number, call: () => void): () => void {
    const timer = setTimeout(call, afterMs);
    return () => clearTimeout(timer);
  }

  const forget = (): Promise<number> => engine.flush({ kind: 'negative' });
  return createCanaries({ ask, forget, emit, now, later, random: Math.random });
}

/** One whose recipients are asked about by the profile, for it says which directory routes them; none where nobody is. */
function listenerOf(profile: Profile, { listeners }: Configuration): string {
  const own = listeners.find((listener) => listener.profile?.name === profile.name);
  const byEntry = listeners.find(({ recipientAccess }) =>
    recipientAccess.profiles.some(({ name }) => name === profile.name),
  );
  return (own ?? byEntry)?.name ?? '';
}
