import { hostPort, type Probe, type Route, type Server } from '@callahead/core';

/** The settings of a probe where an embedder names none; those of the configuration file (SPEC 2). */
const DEFAULTS: Omit<Probe, 'heloName'> = {
  protocol: 'smtp',
  interface: { kind: 'auto' },
  ipFamily: 'any',
  selfNames: [],
  mailFrom: '',
  mailFromFallback: null,
  connectTimeoutMs: 5_000,
  commandTimeoutMs: 10_000,
  unknownRecipientCodes: [],
  maxRecipientsPerSession: 1_000,
  maxRecipientsPerTransaction: 100,
  maxRejectionsPerSession: 10,
  maxConnectionsPerServer: 5,
  sessionIdleMs: 5_000,
  sessionLifetimeMs: 300_000,
  breaker: { failures: 5, maxPauseMs: 30_000 },
  cacheSize: 10_000,
  cacheTtlMs: 900_000,
  negativeCacheTtlMs: 300_000,
  refusedCacheTtlMs: 0,
  refreshAheadMs: 0,
  staleIfErrorMs: 0,
  foldLocalPart: false,
  tls: null,
  auth: null,
};

/** `address`: the literal address to connect to; left out, `host` must be one. */
export type StaticServer = Readonly<{ host: string; port?: number; address?: string }>;

/** `heloName` is what EHLO says; `probe` has whatever else should differ from the defaults. `profile` names the cache and the connection limits. */
export type StaticRouteOptions = Readonly<{
  heloName: string;
  servers: readonly StaticServer[];
  profile?: string;
  probe?: Partial<Omit<Probe, 'heloName'>>;
}>;

/** A route to servers that are known by address and take turns, for those who embed the engine without routing. */
export function staticRoute({ heloName, servers, profile = 'default', probe = {} }: StaticRouteOptions): Route {
  const named = servers.map(
    ({ host, port = 25, address = host }): Server => ({ kind: 'tcp', host, port, targets: [{ name: host, address }] }),
  );
  const names = servers.map(({ host, port = 25 }) => hostPort(host, port));
  return {
    key: `${profile} ${names.join(',')}`,
    generation: 0,
    profile,
    probe: { ...DEFAULTS, heloName, ...probe },
    tiers: [named],
    within: 'rotate',
  };
}
