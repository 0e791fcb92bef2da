import type { z } from 'zod';
import type { HostAccess } from '../access/host-access.ts';
import { compileRecipientAccess, type RecipientAccess } from '../access/recipient-access.ts';
import type { Profile } from '../profile.ts';
import { parseRecipient, type Recipient } from '../recipient.ts';
import { hostPort } from '../server.ts';
import type { LdapRoutingSettings, Limits, ListenerSettings } from '../settings.ts';
import { parseListenAddress } from './endpoints.ts';
import { errorAt, type Fault, warningAt } from './faults.ts';
import { choice, count, duration, flag, list, named, section, size, text } from './fields.ts';
import type { Files } from './files.ts';
import { openHostIn } from './host-access.ts';
import { buildListenerTls, listenerTls } from './listener-tls.ts';
import { fault, type Parsed, show, value } from './parsed.ts';
import { isDefined, keysOf, type Plain } from './plain.ts';
import type { Path } from './positions.ts';
import { proxyProtocol } from './proxy-protocol.ts';
import { openRelayIn } from './recipient-access.ts';
import { checkReference } from './references.ts';
import type { Tables } from './tables.ts';

const limits = section(
  {
    sessions: count(10_000, 1, 1_000_000, 'Sessions at once.'),
    recipientsPerMessage: count(1000, 1, 100_000, 'Recipients accepted in one message.'),
    messageSize: size('50MB', 1024, 10 * 1024 ** 3, 'The largest message; MB is 1024 × 1024 octets.'),
    lookAhead: count(100, 1, 10_000, 'Unanswered recipients of one session that are asked at once.'),
    syntaxErrors: count(20, 1, 10_000, 'Syntax errors after which a session is closed.'),
    idleTimeout: duration('5m', 0.1, 86_400, 'How long a client may be silent.'),
    commandTimeout: duration('5m', 0.1, 86_400, 'How long a client may take over one command line.'),
    sessionTimeout: duration('1h', 0.1, 604_800, 'How long a session may take.'),
    minDataRate: count(
      500,
      0,
      1_000_000_000,
      'Octets a second below which a client that sends a message is cut off; 0: none.',
    ),
  },
  'What a client may do.',
).prefault({});

const name = (kind: string) => `the name of a ${kind}`;

const listener = section(
  {
    type: choice(
      ['public', 'private'],
      'public: takes mail from anybody, for the recipients of its table; private: takes mail for anybody, from hosts whose policy is relay.',
    ),
    listen: list(
      text(parseListenAddress, 'address:port', 'A socket.'),
      'address:port, or a list of them',
      'The sockets to listen on; port 0 lets the system choose.',
    ).refine((sockets) => sockets.length > 0, { error: '[] is empty: expected at least one address:port' }),
    callAheadProfile: text(
      value<string>,
      name('profile'),
      'The profile by which recipients are checked; left out, none is.',
    ).optional(),
    recipientAccess: text(
      value<string>,
      name('recipient access table'),
      'The table that says which recipients are accepted at all; required on a public listener.',
    ).optional(),
    hostAccess: text(
      value<string>,
      name('host access table'),
      'The table that says which clients may do what; left out, everybody may send, without limits of a policy. Required on a private listener.',
    ).optional(),
    ldapRouting: text(
      value<string>,
      'the name of a question under ldap.routing',
      'What a directory is asked about each recipient; left out, none is.',
    ).optional(),
    relay: flag(true, 'Pass accepted mail on; false: only check recipients, and refuse DATA.'),
    allowOpenRelay: flag(false, 'Accept a table that takes mail for everybody.'),
    postmaster: text(
      parsePostmaster,
      'user@domain',
      'Where mail to postmaster without a domain goes; required with relay.',
    ).optional(),
    bareNewline: choice(
      ['reject', 'normalize'],
      'What to do with a CR or LF that stands alone: refuse the message, or make it CRLF.',
    ).prefault('reject'),
    tls: listenerTls,
    proxyProtocol,
    limits,
  },
  'A front door.',
);

export const listeners = named(listener, 'The front doors, by name.');

type ListenerInput = z.output<typeof listener>;

/** What one listener needs from the rest of the file, and what two may not share. */
export function checkListeners(root: Plain, tables: Tables): readonly Fault[] {
  const all = keysOf(root, 'listeners');
  const none = all.length === 0 ? [warningAt([], 'no listener: nothing to serve')] : [];
  return [
    ...none,
    ...all.flatMap(([name, settings]) => checkListener(root, ['listeners', name], settings, tables)),
    ...checkSockets(all),
  ];
}

function checkListener(root: Plain, path: Path, settings: Plain, tables: Tables): readonly Fault[] {
  const { type, callAheadProfile, recipientAccess, hostAccess, ldapRouting, postmaster } = settings;
  const faults: Fault[] = [];
  if (type === 'private' && (callAheadProfile ?? null) !== null) {
    const message = 'not allowed on a private listener: expected type public, or no profile';
    faults.push({ ...errorAt([...path, 'callAheadProfile'], message), blame: 'key' });
  }
  faults.push(...checkReference(root, 'callAheadProfiles', [...path, 'callAheadProfile'], callAheadProfile));
  faults.push(...checkReference(root, 'recipientAccess', [...path, 'recipientAccess'], recipientAccess));
  faults.push(...checkReference(root, 'hostAccess', [...path, 'hostAccess'], hostAccess));
  faults.push(...checkTables(path, settings));
  faults.push(...checkReference(root, 'ldap.routing', [...path, 'ldapRouting'], ldapRouting));
  const relays = (settings.relay ?? true) === true;
  if (relays && (postmaster ?? null) === null) {
    faults.push(errorAt([...path, 'postmaster'], 'missing: expected user@domain, for the listener relays'));
  }
  if (type === 'public' && relays && settings.allowOpenRelay !== true) {
    faults.push(...checkOpenRelay(root, path, recipientAccess, tables), ...checkOpenHosts(root, path, hostAccess));
  }
  return [...faults, ...checkRecipientLimit(path, settings.limits)];
}

/** Who may be written to is the question of a public listener, who may write that of a private one. */
function checkTables(path: Path, { type, recipientAccess, hostAccess }: Plain): readonly Fault[] {
  if (type === 'public' && (recipientAccess ?? null) === null) {
    return [errorAt([...path, 'recipientAccess'], 'missing: expected the name of a recipient access table')];
  }
  if (type === 'private' && (hostAccess ?? null) === null) {
    const message = 'missing: expected the name of a host access table, for the listener is private';
    return [errorAt([...path, 'hostAccess'], message)];
  }
  return [];
}

function checkOpenHosts(root: Plain, path: Path, tableName: unknown): readonly Fault[] {
  const open = typeof tableName === 'string' ? openHostIn(root, tableName) : null;
  if (open === null) return [];
  const message = `${show(tableName)} makes an open relay, for it lets ${open} relay: expected your own hosts, relay: false or allowOpenRelay: true`;
  return [errorAt([...path, 'hostAccess'], message)];
}

function checkOpenRelay(root: Plain, path: Path, tableName: unknown, tables: Tables): readonly Fault[] {
  const written = root.recipientAccess;
  if (typeof tableName !== 'string' || !isDefined(root, 'recipientAccess', tableName)) return [];
  const open = openRelayIn((written as Plain)[tableName], tables);
  if (open === null) return [];
  const message = `${show(tableName)} makes an open relay, for it accepts ${open}: expected your own domains, relay: false or allowOpenRelay: true`;
  return [errorAt([...path, 'recipientAccess'], message)];
}

// RFC 5321 §4.5.3.1.8: a server that takes fewer than 100 breaks senders that count on it.
function checkRecipientLimit(path: Path, limits: unknown): readonly Fault[] {
  const most = typeof limits === 'object' && limits !== null ? (limits as Plain).recipientsPerMessage : null;
  if (typeof most !== 'number' || most < 1 || most >= 100) return [];
  return [
    warningAt(
      [...path, 'limits', 'recipientsPerMessage'],
      `${most} is less than the 100 of RFC 5321 section 4.5.3.1.8`,
    ),
  ];
}

/** Two sockets on one address and port: the second could not listen. */
function checkSockets(all: readonly (readonly [string, Plain])[]): readonly Fault[] {
  const taken = new Map<string, string>();
  return all.flatMap(([name, settings]) => {
    const listen = Array.isArray(settings.listen) ? settings.listen : [settings.listen];
    return listen.flatMap((written, index): Fault[] => {
      const parsed = typeof written === 'string' ? parseListenAddress(written) : fault('');
      if (parsed.kind === 'fault' || parsed.value.port === 0) return [];
      const socket = hostPort(parsed.value.host, parsed.value.port);
      const owner = taken.get(socket);
      taken.set(socket, owner ?? name);
      if (owner === undefined) return [];
      return [
        errorAt(
          ['listeners', name, 'listen', index],
          `${show(socket)} is taken by listener ${owner}: expected another address or port`,
        ),
      ];
    });
  });
}

/** What a listener refers to, already built. */
export type ListenerParts = Readonly<{
  profiles: ReadonlyMap<string, Profile>;
  tables: ReadonlyMap<string, RecipientAccess>;
  hosts: ReadonlyMap<string, HostAccess>;
  routings: ReadonlyMap<string, LdapRoutingSettings>;
  files: Files;
}>;

export function buildListener(
  name: string,
  settings: ListenerInput,
  { profiles, tables, hosts, routings, files }: ListenerParts,
): ListenerSettings {
  const { type, listen, callAheadProfile, relay, postmaster, bareNewline } = settings;
  const recipientAccess = type === 'private' ? NOBODY : tables.get(settings.recipientAccess ?? '');
  // The reference was checked: whoever comes here without a table has broken that check, not the file.
  if (recipientAccess === undefined) throw new TypeError(`listener ${name} has no recipient access table`);
  const profile = callAheadProfile === undefined ? null : (profiles.get(callAheadProfile) ?? null);
  return {
    name,
    type,
    listen,
    profile,
    recipientAccess,
    hostAccess: settings.hostAccess === undefined ? null : (hosts.get(settings.hostAccess) ?? null),
    ldapRouting: settings.ldapRouting === undefined ? null : (routings.get(settings.ldapRouting) ?? null),
    relay,
    postmaster: postmaster ?? null,
    bareNewline,
    tls: buildListenerTls(settings.tls, files),
    proxyProtocol: settings.proxyProtocol ?? null,
    limits: buildLimits(settings.limits),
  };
}

/** A private listener asks who writes, not to whom (SPEC 3.4). */
const NOBODY = compileRecipientAccess([]);

function buildLimits(settings: z.output<typeof limits>): Limits {
  const { idleTimeout, commandTimeout, sessionTimeout, ...counts } = settings;
  return { ...counts, idleTimeoutMs: idleTimeout, commandTimeoutMs: commandTimeout, sessionTimeoutMs: sessionTimeout };
}

function parsePostmaster(input: string): Parsed<Recipient> {
  const parsed = parseRecipient(input, { smtpUtf8: false });
  if (parsed.kind === 'ok') return value(parsed.recipient);
  return fault(parsed.kind === 'postmaster' ? 'has no domain' : 'is not an address');
}
