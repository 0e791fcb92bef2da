import type { Probe, Profile, Protocol } from './profile.ts';
import type { Recipient } from './recipient.ts';
import type { Server } from './server.ts';
import type { Recorder } from './step.ts';
import type { Verdict } from './verdict.ts';

/**
 * A destination: a profile and its servers in tiers of equal preference, best first. `key` is made of the profile and the names and ports in
 * order, never of addresses. Of two routes with one key the newer configuration `generation` counts, then the one resolved later.
 * A tier whose names have no address now is empty, so that the next one still counts as worse (SPEC 4.6).
 */
export type Route = Readonly<{
  key: string;
  generation: number;
  profile: string;
  probe: Probe;
  tiers: readonly (readonly Server[])[];
  /** Inside a tier: static servers take turns (SPEC 5.5), MX hosts of equal preference are shuffled (SPEC 5.6). */
  within: 'rotate' | 'shuffle';
}>;

/** One recipient on its way through routing. `deadlineMs` is absolute, of `performance.now()`. */
export type Request = Readonly<{
  recipient: Recipient;
  profile: Profile;
  listener: string;
  deadlineMs: number;
  recorder: Recorder | null;
}>;

/** What routing says: ask this route about this recipient (which a directory may have rewritten), throw the message away, or the verdict is known without asking. */
export type Routing =
  | Readonly<{ kind: 'ask'; recipient: Recipient; route: Route }>
  | Readonly<{ kind: 'discard' }>
  | Readonly<{ kind: 'known'; verdict: Verdict }>;

/**
 * Where mail is delivered: a route without a profile's probe, for delivery has settings of its own (SPEC 7.1). Two recipients share a transaction
 * where the keys are equal, unless it is LMTP: then each has its own (SPEC 7.2).
 */
export type DeliveryRoute = Pick<Route, 'key' | 'generation' | 'tiers' | 'within'> & Readonly<{ protocol: Protocol }>;

/** As `Routing`, for the delivery. */
export type DeliveryRouting =
  | Exclude<Routing, { kind: 'ask' }>
  | Readonly<{ kind: 'ask'; recipient: Recipient; route: DeliveryRoute }>;

/** Which answers to forget, in the engine's caches and in routing's. `value`: an address in canonical form, a domain, or `host:port`. */
export type Flush =
  | Readonly<{ kind: 'recipient' | 'domain' | 'server'; value: string }>
  | Readonly<{ kind: 'negative' | 'all' }>;

/** Finds the servers of a recipient: the one that knows it, and the one that takes its mail (SPEC 5.1, 7.1). Never rejects: trouble is a `known` failed verdict. */
export type RouteSource = {
  toAsk(request: Request): Routing | Promise<Routing>;
  toDeliver(request: DeliveryRequest): DeliveryRouting | Promise<DeliveryRouting>;
  flush(what: Flush): void;
  close(): Promise<void>;
};

/** As `Request`; a listener without call-ahead has no profile. */
export type DeliveryRequest = Omit<Request, 'profile'> & Readonly<{ profile: Profile | null }>;

/** Finds out about one recipient. Never rejects; answers by the request's deadline. */
export type Validate = (request: Request) => Verdict | Promise<Verdict>;
