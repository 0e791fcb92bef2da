import type { HostAccess } from './access/host-access.ts';
import type { RecipientAccess } from './access/recipient-access.ts';
import type { LdapTemplate } from './ldap-template.ts';
import type { LocalInterface } from './local-address.ts';
import type { Hop, Profile, ServerTls, TlsVersion } from './profile.ts';
import type { Recipient } from './recipient.ts';
import type { Secret } from './secret.ts';

/** A socket to listen on. Port 0 lets the system choose. An IPv6 host has no brackets here. */
export type ListenAddress = Readonly<{ host: string; port: number }>;

/** What a client may do (SPEC 9.3). Durations in milliseconds, sizes in octets, `minDataRate` in octets a second. */
export type Limits = Readonly<{
  sessions: number;
  recipientsPerMessage: number;
  messageSize: number;
  lookAhead: number;
  syntaxErrors: number;
  idleTimeoutMs: number;
  commandTimeoutMs: number;
  sessionTimeoutMs: number;
  minDataRate: number;
}>;

/** How clients are encrypted: they may be by STARTTLS, must be by it, or begin with TLS. `cert` and `key` are PEM texts. */
export type ListenerTls = Readonly<{
  mode: 'optional' | 'required' | 'implicit';
  identity: Readonly<{ cert: string; key: Secret }>;
  minVersion: TlsVersion;
  maxVersion: TlsVersion;
  ciphers: string;
}>;

/** Addresses that have their first `prefix` bits in common. */
export type Network = Readonly<{ address: string; prefix: number }>;

/** One listener, complete. */
export type ListenerSettings = Readonly<{
  name: string;
  /** `private`: takes mail only from hosts whose policy is `relay`, for anybody, and asks no server (SPEC 3.4). */
  type: 'public' | 'private';
  listen: readonly ListenAddress[];
  /** null: no call-ahead, recipient access only. */
  profile: Profile | null;
  /** Of a private listener: an empty one, which is not asked. */
  recipientAccess: RecipientAccess;
  /** null: everybody is accepted, without a policy's limits. */
  hostAccess: HostAccess | null;
  /** What a directory is asked about each recipient; null: none is. */
  ldapRouting: LdapRoutingSettings | null;
  /** false: validate only, DATA gets 550 5.3.2. */
  relay: boolean;
  /** Where `<postmaster>` without a domain goes (SPEC 3.6). null only where `relay` is false. */
  postmaster: Recipient | null;
  bareNewline: 'reject' | 'normalize';
  /** null: off. */
  tls: ListenerTls | null;
  /** Proxies that say for which client they speak; null: there are none. */
  proxyProtocol: Readonly<{ trusted: readonly Network[] }> | null;
  limits: Limits;
}>;

export type DnsSettings = Readonly<{
  /** `address:port` of resolvers; null: the system's. */
  servers: readonly string[] | null;
  timeoutMs: number;
  allowReserved: boolean;
}>;

/** How mail is passed on. `maxConnectionsPerServer` is over all listeners. */
export type DeliverySettings = Readonly<{
  /** null: never. */
  tls: ServerTls | null;
  interface: LocalInterface;
  connectTimeoutMs: number;
  commandTimeoutMs: number;
  endOfDataTimeoutMs: number;
  maxConnectionsPerServer: number;
  holdTimeMs: number;
}>;

export type EngineSettings = Readonly<{ threads: number; maxPending: number; maxDestinations: number }>;

/** Where the HTTP API listens. `token` null: whoever reaches it may read, and nobody may act (SPEC 10.4). */
export type AdminSettings = Readonly<{ listen: ListenAddress; token: Secret | null }>;

/** What an SMTP route says of a host: go to these instead, better preferences first; look the host up as if there were no route; or throw its mail away (SPEC 5.4). */
export type SmtpRoute =
  | Readonly<{ kind: 'hosts'; hops: readonly Hop[] }>
  | Readonly<{ kind: 'usedns' }>
  | Readonly<{ kind: 'discard' }>;

/** SMTP routes by what they are for: a domain in canonical form, `.domain` for its sub-domains, or `ALL`. */
export type SmtpRoutes = ReadonlyMap<string, SmtpRoute>;

/** Where a directory answers. `implicitTls`: ldaps, else ldap. */
export type LdapUrl = Readonly<{ host: string; port: number; implicitTls: boolean }>;

/** How connections to a directory are encrypted. `ca`, `cert` and `key` are PEM texts; `mode` is about STARTTLS, `ldaps` is always encrypted. */
export type LdapTls = Readonly<{
  mode: 'off' | 'optional' | 'required';
  verify: boolean;
  ca: string | null;
  identity: Readonly<{ cert: string; key: Secret }> | null;
  servername: string | null;
  minVersion: TlsVersion;
}>;

/** A directory. `timeoutMs` is for one answer, with connecting and over all URLs; `cacheSize` counts answers. */
export type LdapServerSettings = Readonly<{
  name: string;
  urls: readonly LdapUrl[];
  bind: Readonly<{ dn: string; password: Secret }> | null;
  tls: LdapTls;
  timeoutMs: number;
  connections: number;
  cacheSize: number;
  cacheTtlMs: number;
}>;

/** What a directory is asked about a recipient, and the attributes in which it answers (SPEC 5.2). */
export type LdapRoutingSettings = Readonly<{
  name: string;
  server: LdapServerSettings;
  base: LdapTemplate;
  scope: 'sub' | 'one' | 'base';
  filter: LdapTemplate;
  mailHostAttribute: string | null;
  mailRoutingAddressAttribute: string | null;
  callAheadAttribute: string | null;
}>;

export type LdapSettings = Readonly<{
  servers: ReadonlyMap<string, LdapServerSettings>;
  routing: ReadonlyMap<string, LdapRoutingSettings>;
}>;

/** Names and addresses that are us, besides the host name and the listeners' sockets (SPEC 5.7). Lower case. */
export type Self = Readonly<{ names: readonly string[]; addresses: readonly string[] }>;

/** `addressKey` null: hashes are made with a key that is drawn at the start. */
export type LogSettings = Readonly<{
  level: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  addresses: 'full' | 'hashed';
  addressKey: Secret | null;
}>;

/** The whole configuration file: complete, checked, frozen. */
export type Configuration = Readonly<{
  hostname: string;
  drainTimeoutMs: number;
  log: LogSettings;
  self: Self;
  listeners: readonly ListenerSettings[];
  profiles: ReadonlyMap<string, Profile>;
  smtpRoutes: SmtpRoutes;
  ldap: LdapSettings;
  dns: DnsSettings;
  delivery: DeliverySettings;
  engine: EngineSettings;
  /** Where cached answers outlive a restart; null: they do not. */
  cacheFile: string | null;
  /** null: no HTTP API. */
  admin: AdminSettings | null;
  /** The file as it may be shown: with its defaults, without its secrets. */
  written: object;
}>;
