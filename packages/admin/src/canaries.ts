/** All canaries of a gateway, and what becomes of verdicts by servers that do not know their own. */
import {
  failed,
  type Profile,
  type Recipient,
  type Request,
  sameSettings,
  type Validate,
  type Verdict,
} from '@callahead/core';
import { type CanaryOptions, type CanaryState, type CanaryWatch, watchCanary } from './canary.ts';

export type Canaries = Readonly<{
  /** These are all profiles now, by name. A canary whose settings are as they were goes on, with what it knows. */
  renew(profiles: ReadonlyMap<string, Profile>): void;
  /** The same, but a server that refuses whom it has to know refuses nobody: that nobody could say anything is the verdict then. */
  guard(validate: Validate): Validate;
  /** Does the server of that name accept whom nobody can have? */
  catchAll(profile: string, server: string): boolean;
  states(): readonly CanaryState[];
  /** Settles when each of those that there are has asked once. Never rejects. */
  asked(): Promise<void>;
  close(): void;
}>;

export type CanariesOptions = Pick<CanaryOptions, 'forget' | 'emit' | 'now' | 'later' | 'random'> &
  Readonly<{
    /** Asks the servers of the profile of that name, as it is now, and no cache. Never rejects. */
    ask: (profile: string, recipient: Recipient) => Promise<Verdict>;
  }>;

export function createCanaries({ ask, ...options }: CanariesOptions): Canaries {
  const watches = new Map<string, CanaryWatch>();

  function renew(profiles: ReadonlyMap<string, Profile>): void {
    for (const [name, watch] of watches) {
      if (sameSettings(watch.settings, profiles.get(name)?.canary)) continue;
      watch.stop();
      watches.delete(name);
    }
    for (const { name, canary } of profiles.values()) {
      if (canary === null || watches.has(name)) continue;
      const about = { profile: name, settings: canary, ask: (recipient: Recipient) => ask(name, recipient) };
      watches.set(name, watchCanary({ ...options, ...about }));
    }
  }

  function guard(validate: Validate): Validate {
    return (request) => {
      const verdict = validate(request);
      // Nearly nobody has one, and this runs once a recipient.
      if (request.profile.canary === null) return verdict;
      return verdict instanceof Promise ? verdict.then((known) => judge(request, known)) : judge(request, verdict);
    };
  }

  /** At the time of the answer, by the server that said it: what caches hold needs no change. */
  function judge({ profile, recorder }: Request, verdict: Verdict): Verdict {
    const watch = watches.get(profile.name);
    const { server } = verdict;
    if (watch === undefined || server === '') return verdict;
    const isSuspended = watch.suspended(server);
    if (isSuspended || watch.catchAll(server)) {
      const facts = { server, rejections: isSuspended ? 'suspended' : 'believed', accepts: acceptsOf(watch, server) };
      recorder?.({ stage: 'canary', atMs: options.now(), facts });
    }
    if (!isSuspended || (verdict.kind !== 'unknown' && verdict.kind !== 'refused')) return verdict;
    const detail = `rejections by ${server} are suspended: it refuses its canary`;
    return failed('policy', detail, verdict.source, server, verdict.ref);
  }

  return {
    renew,
    guard,
    catchAll: (profile, server) => watches.get(profile)?.catchAll(server) ?? false,
    states: () => [...watches.values()].flatMap((watch) => watch.states()),
    async asked() {
      await Promise.all([...watches.values()].map((watch) => watch.asked));
    },
    close() {
      for (const watch of watches.values()) watch.stop();
      watches.clear();
    },
  };
}

function acceptsOf(watch: CanaryWatch, server: string): string {
  return watch.catchAll(server) ? 'everybody' : 'whom it knows';
}
