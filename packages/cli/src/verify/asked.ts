import type { Configuration, ListenerSettings, Profile, Recipient } from '@callahead/core';
import { profilesOf } from '../canaries.ts';

/** By which settings a recipient is asked about. `listener`: whose directory look-up counts; empty: none. */
export type Asked = Readonly<{ profile: Profile; listener: string }>;
/** `profiles`: all that may be chosen. */
export type Choice = Readonly<{ of(recipient: Recipient): Asked; profiles: readonly Profile[] }>;

/** Of the profile that is named, or that which a listener has for the recipient; of the first listener that has one where neither is named. Text: what is wrong. */
export function chooseAsked(
  { listeners, profiles }: Configuration,
  wish: Readonly<{ profile: string | null; listener: string | null }>,
): Choice | string {
  const named = listeners.find(({ name }) => name === wish.listener) ?? null;
  if (wish.listener !== null && named === null) {
    const names = listeners.map(({ name }) => name).join(', ');
    return `--listener: there is no listener "${wish.listener}": expected one of ${names}`;
  }
  if (wish.profile !== null) {
    const profile = profiles.get(wish.profile);
    if (profile === undefined) {
      const names = profiles.size === 0 ? 'the file to have one' : `one of ${[...profiles.keys()].join(', ')}`;
      return `--profile: there is no profile "${wish.profile}": expected ${names}`;
    }
    const listener = (named ?? listeners.find((each) => each.profile === profile))?.name ?? '';
    return { of: () => ({ profile, listener }), profiles: [profile] };
  }
  const listener = named ?? listeners.find(({ profile }) => profile !== null);
  if (listener?.profile == null) {
    const what = named === null ? 'no listener has' : `the listener "${named.name}" has no`;
    return `${what} callAheadProfile: expected one, or --profile`;
  }
  return byListener(listener, listener.profile);
}

/** An entry of recipient access may have a profile of its own. */
function byListener(listener: ListenerSettings, profile: Profile): Choice {
  const { name, recipientAccess } = listener;
  return {
    of(recipient) {
      const access = recipientAccess.decide(recipient);
      const own = access.kind === 'accept' ? access.profile : null;
      return { profile: own ?? profile, listener: name };
    },
    profiles: profilesOf(listener),
  };
}
