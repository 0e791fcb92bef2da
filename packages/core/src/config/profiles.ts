import { z } from 'zod';
import { parseDomain } from '../domain.ts';
import type { Probe, Profile } from '../profile.ts';
import { parseSender } from '../recipient.ts';
import { buildCanary, canary } from './canary.ts';
import { errorAt, type Fault } from './faults.ts';
import { about, choice, count, duration, expecting, flag, named, section, text } from './fields.ts';
import type { Files } from './files.ts';
import { localInterface } from './local-interface.ts';
import { fault, type Parsed, show, value } from './parsed.ts';
import { keysOf, type Plain } from './plain.ts';
import type { Path } from './positions.ts';
import { action } from './replies.ts';
import { buildServerAuth, buildServerTls, checkServerSecurity, serverAuth, serverTls } from './server-tls.ts';
import { checkServers, ipFamily, servers } from './servers.ts';

const code = '5yz or 5.y.z';
const failureWords = ['accept', 'reject'] as const;

const breaker = section(
  {
    failures: count(5, 1, 1000, 'Attempts in a row without any reply to RCPT after which a server is left alone.'),
    maxPause: duration('30s', 1, 3600, 'The longest pause; the first is one second, each next one twice as long.'),
  },
  'When a server that does not answer is left alone.',
).prefault({});

/** How the servers are asked. */
const asking = {
  protocol: choice(
    ['smtp', 'lmtp'],
    'lmtp: the servers are mailbox servers; port 24 where none is given, and mail for static ones is delivered by LMTP too.',
  ).prefault('smtp'),
  interface: localInterface(
    "What the connections come from: the system's choice, an interface (servers of which it has no address are skipped), or an address.",
  ),
  ipFamily,
  heloName: text(parseHeloName, 'a host name or address literal', 'Our name in EHLO; left out, hostname.').optional(),
  tls: serverTls,
  auth: serverAuth,
  mailFrom: text(
    parseMailFrom,
    'an address, or "" for the null sender',
    'The sender of the question; "" is the null sender.',
  ).prefault(''),
  mailFromFallback: text(parseAddress, 'an address', 'Tried once where a server refuses mailFrom.').optional(),
  validationTimeout: duration('30s', 1, 240, 'How long one recipient may take, all servers together.'),
  connectTimeout: duration('5s', 0.1, 240, 'How long connecting to a server may take.'),
  commandTimeout: duration('10s', 0.1, 240, 'How long a server may take over one reply.'),
  unknownRecipientCodes: z
    .preprocess(
      (input) => (Array.isArray(input) ? input.map((one) => (typeof one === 'number' ? String(one) : one)) : input),
      z.array(
        z.string(expecting(code)).regex(/^5([0-5]\d|\.\d{1,3}\.\d{1,3})$/, expecting(code)),
        expecting(`a list of ${code}`),
      ),
    )
    .prefault([])
    .meta(about(`a list of ${code}`, 'More codes that mean "no such user", basic or enhanced.')),
  maxRecipientsPerSession: count(1000, 1, 25_000, 'Recipients asked in one session before a new connection is made.'),
  maxRecipientsPerTransaction: count(100, 1, 25_000, 'Recipients asked in one transaction.'),
  maxRejectionsPerSession: count(
    10,
    1,
    25_000,
    'Rejections in one session before a new connection is made: servers hang up on clients that guess.',
  ),
  maxConnectionsPerServer: count(5, 1, 100, 'Connections to one server at once.'),
  sessionIdle: duration('5s', 0, 600, 'How long an idle connection is kept.'),
  sessionLifetime: duration('5m', 0.1, 86_400, 'How long a connection is used.'),
  breaker,
};

/** How long the answers are believed. */
const caching = {
  cacheSize: count(10_000, 100, 1_000_000, 'Answers kept, over all threads.'),
  cacheTtl: duration('900s', 60, 86_400, 'How long a valid recipient is remembered.'),
  negativeCacheTtl: duration('300s', 0, 86_400, 'How long an unknown recipient is remembered.'),
  refusedCacheTtl: duration('0s', 0, 86_400, 'How long a refused recipient is remembered; 0: not at all.'),
  refreshAhead: duration(
    '0s',
    0,
    86_399,
    'A remembered answer that is used so shortly before its end is asked for anew in the background; 0: none is.',
  ),
  staleIfError: duration(
    '0s',
    0,
    604_800,
    'How much longer a recipient that was valid counts as valid while no server answers; 0: not at all.',
  ),
  foldLocalPart: flag(false, 'Take local parts that differ in case only for one, in the cache and nowhere else.'),
};

/** What becomes of a recipient that is not valid. */
const acting = {
  mode: choice(['enforce', 'monitor'], 'monitor: log and count the verdict, and accept the recipient.').prefault(
    'enforce',
  ),
  onValidationFailure: action(failureWords, 'accept', 'What to do when nobody could say anything about the recipient.'),
  onTemporaryFailure: action(failureWords, 'reject', 'What to do when the servers answered 4yz.'),
  onUnknown: action(['reject'], 'reject', 'What to do with a recipient that does not exist.'),
  onRefused: action(['reject'], 'reject', 'What to do with a recipient that exists and is refused.'),
  serverReply: choice(['mask', 'pass'], "pass: show the server's own text to the sender.").prefault('mask'),
};

const profile = section(
  {
    serverType: choice(
      ['delivery-host', 'static'],
      'delivery-host: ask where the mail would be delivered; static: ask the servers named here.',
    ).prefault('static'),
    servers,
    ...asking,
    ...acting,
    ...caching,
    canary,
  },
  'How to ask one kind of server, and what to do with what it says.',
);

export const callAheadProfiles = named(profile, 'How recipients are checked, by name; a listener names one.');

type ProfileSettings = z.output<typeof profile>;

/** What of a profile belongs together, and the files that it names. */
export function checkProfiles(root: Plain, files: Files): readonly Fault[] {
  return keysOf(root, 'callAheadProfiles').flatMap(([name, settings]) => {
    const path: Path = ['callAheadProfiles', name];
    return [
      ...checkServers(path, settings),
      ...checkServerSecurity(path, settings, files),
      ...checkCaching(path, settings),
    ];
  });
}

/** What is asked anew from its first second on is not remembered. */
function checkCaching(path: Path, { refreshAhead, cacheTtl }: Plain): readonly Fault[] {
  const aheadMs = milliseconds(caching.refreshAhead, refreshAhead);
  const ttlMs = milliseconds(caching.cacheTtl, cacheTtl);
  if (aheadMs === null || ttlMs === null || aheadMs < ttlMs) return [];
  return [errorAt([...path, 'refreshAhead'], `${show(refreshAhead)} is no less than cacheTtl: expected less`)];
}

function milliseconds(schema: z.ZodType<number>, written: unknown): number | null {
  const parsed = schema.safeParse(written);
  return parsed.success ? parsed.data : null;
}

/** Who we are, whatever the profile: `selfNames` are our own names, `hostname` the first of them. */
export type Ourselves = Readonly<{ hostname: string; selfNames: readonly string[] }>;

export function buildProfile(name: string, settings: ProfileSettings, ourselves: Ourselves, files: Files): Profile {
  const { mode, onValidationFailure, onTemporaryFailure, onUnknown, onRefused, serverReply } = settings;
  return {
    name,
    validationTimeoutMs: settings.validationTimeout,
    servers: settings.servers === undefined ? { kind: 'delivery-host' } : { kind: 'static', hops: settings.servers },
    probe: buildProbe(settings, ourselves, files),
    actions: { mode, onValidationFailure, onTemporaryFailure, onUnknown, onRefused, serverReply },
    canary: buildCanary(settings.canary),
  };
}

function buildProbe(settings: ProfileSettings, { hostname, selfNames }: Ourselves, files: Files): Probe {
  return {
    protocol: settings.protocol,
    interface: settings.interface,
    ipFamily: settings.ipFamily,
    heloName: settings.heloName ?? hostname,
    selfNames,
    mailFrom: settings.mailFrom,
    mailFromFallback: settings.mailFromFallback ?? null,
    connectTimeoutMs: settings.connectTimeout,
    commandTimeoutMs: settings.commandTimeout,
    unknownRecipientCodes: settings.unknownRecipientCodes,
    maxRecipientsPerSession: settings.maxRecipientsPerSession,
    maxRecipientsPerTransaction: settings.maxRecipientsPerTransaction,
    maxRejectionsPerSession: settings.maxRejectionsPerSession,
    maxConnectionsPerServer: settings.maxConnectionsPerServer,
    sessionIdleMs: settings.sessionIdle,
    sessionLifetimeMs: settings.sessionLifetime,
    breaker: { failures: settings.breaker.failures, maxPauseMs: settings.breaker.maxPause },
    cacheSize: settings.cacheSize,
    cacheTtlMs: settings.cacheTtl,
    negativeCacheTtlMs: settings.negativeCacheTtl,
    refusedCacheTtlMs: settings.refusedCacheTtl,
    refreshAheadMs: settings.refreshAhead,
    staleIfErrorMs: settings.staleIfError,
    foldLocalPart: settings.foldLocalPart,
    tls: buildServerTls(settings.tls, files),
    auth: buildServerAuth(settings.auth, files),
  };
}

function parseHeloName(input: string): Parsed<string> {
  const domain = parseDomain(input.trim());
  return domain.kind === 'ok' ? value(domain.domain) : fault('is no name to say EHLO with');
}

function parseMailFrom(input: string): Parsed<string> {
  return input === '' ? value('') : parseAddress(input);
}

function parseAddress(input: string): Parsed<string> {
  const sender = parseSender(input, { smtpUtf8: false });
  return sender.kind === 'ok' ? value(sender.sender.address) : fault('is not an address');
}
