import type { IpFamily, LocalInterface } from './local-address.ts';
import type { Recipient } from './recipient.ts';
import type { Secret } from './secret.ts';

/** How an actor talks to the servers of a profile, and how long it believes them. Durations in milliseconds. Plain data: it travels to the threads. */
export type Probe = Readonly<{
  /** LMTP is RFC 2033: LHLO, and after the message a reply for each recipient. */
  protocol: Protocol;
  interface: LocalInterface;
  /** Addresses of another family are none. */
  ipFamily: IpFamily;
  heloName: string;
  /** Our own names; a server that greets with one of them is us (SPEC 5.7). Lower case. */
  selfNames: readonly string[];
  /** The sender of the probe; `''` is the null sender `<>`. */
  mailFrom: string;
  /** Tried once where the server refuses `mailFrom` (SPEC 4.3). */
  mailFromFallback: string | null;
  connectTimeoutMs: number;
  commandTimeoutMs: number;
  /** More codes that mean "no such user", basic (`550`) or enhanced (`5.4.1`). */
  unknownRecipientCodes: readonly string[];
  maxRecipientsPerSession: number;
  maxRecipientsPerTransaction: number;
  maxRejectionsPerSession: number;
  maxConnectionsPerServer: number;
  sessionIdleMs: number;
  sessionLifetimeMs: number;
  breaker: Readonly<{ failures: number; maxPauseMs: number }>;
  /** Entries of the whole profile, over all threads. */
  cacheSize: number;
  cacheTtlMs: number;
  negativeCacheTtlMs: number;
  /** 0: refused is not cached. */
  refusedCacheTtlMs: number;
  /** A hit so close to its end is answered, and asked anew; 0: none is. */
  refreshAheadMs: number;
  /** So long a yes whose time is over counts while no server answers; 0: not at all. */
  staleIfErrorMs: number;
  /** Fold the local part in the cache key, and only there. */
  foldLocalPart: boolean;
  /** null: none. */
  tls: ServerTls | null;
  /** Who we are to the servers, said over TLS only; null: nobody. */
  auth: ServerAuth | null;
}>;

export type Protocol = 'smtp' | 'lmtp';
export type TlsVersion = 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';

/** How conversations with servers are encrypted (SPEC 9.1). Certificates are PEM texts, since paths mean nothing in a thread; `ca` null: those that Node knows. */
export type ServerTls = Readonly<{
  mode: 'optional' | 'required';
  verify: boolean;
  ca: string | null;
  identity: Readonly<{ cert: string; key: Secret }> | null;
  /** The name that a certificate must carry; null: the name that led to the address. */
  servername: string | null;
  minVersion: TlsVersion;
  maxVersion: TlsVersion;
  /** In OpenSSL's own words. */
  ciphers: string;
}>;

export type ServerAuth = Readonly<{ user: string; password: Secret }>;

/** What to do with a verdict that is not valid (SPEC 4.8). `enhanced` is of the class of `code`. */
export type Action =
  | Readonly<{ kind: 'accept' }>
  | Readonly<{ kind: 'reject' }>
  | Readonly<{ kind: 'reply'; code: number; enhanced: string | null; text: string; disconnect: boolean }>;

/** The gate's half of a profile. */
export type Actions = Readonly<{
  mode: 'enforce' | 'monitor';
  onValidationFailure: Action;
  onTemporaryFailure: Action;
  onUnknown: Action;
  onRefused: Action;
  serverReply: 'mask' | 'pass';
}>;

/** Recipients of whom it is known for sure whether a server knows them: one that it has to know, and one that nobody has. */
export type Canary = Readonly<{ valid: Recipient; invalid: Recipient; intervalMs: number }>;

/** A server as an operator writes it: `port` null means the protocol's own. A literal address has `lookup: 'none'`, and of a `unix` one the name is the path. */
export type Hop = Readonly<{
  name: string;
  port: number | null;
  portFrom: 'ldap' | 'route' | 'default' | 'static';
  lookup: 'mx' | 'address' | 'none' | 'unix';
  /** Lower ones first, equal ones take turns (SPEC 5.4); left out: 0. */
  preference?: number;
}>;

/** How to talk to a kind of server, where it is, and what to do when it does not answer. */
export type Profile = Readonly<{
  name: string;
  /** The budget of one recipient, from the parsed RCPT line to the reply (SPEC 4.7). */
  validationTimeoutMs: number;
  servers: Readonly<{ kind: 'delivery-host' }> | Readonly<{ kind: 'static'; hops: readonly Hop[] }>;
  probe: Probe;
  actions: Actions;
  /** null: there is none. */
  canary: Canary | null;
}>;
