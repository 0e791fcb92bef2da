import { connect, isIP, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import type { LdapTls, LdapUrl } from '@callahead/core';
import { by } from './deadline.ts';
import { readLength, readMessages } from './ldap-messages.ts';

/** A connection that a directory can be talked over, or why there is none. */
export type Opened = Readonly<{ kind: 'open'; socket: Socket }> | Readonly<{ kind: 'failed'; detail: string }>;

/** Opening ends at `deadlineMs` (of `now`), or when `signal` says that nobody wants the connection any more; that ends it later, too. */
export type Until = Readonly<{ deadlineMs: number; now: () => number; signal: AbortSignal }>;

/** Connects, encrypted as the settings want it. By the deadline there is a connection, or nothing is left of it. */
export async function openSocket(url: LdapUrl, tls: LdapTls, until: Until): Promise<Opened> {
  const opened = await openPlain(url, until);
  if (opened.kind === 'failed') return opened;
  if (url.implicitTls) return encrypt(opened.socket, url, tls, tls.verify, until);
  if (tls.mode === 'off') return opened;
  const started = await startTls(opened.socket, url, tls, until);
  if (started.kind === 'open' || tls.mode === 'required') return started;
  // Optional encryption goes on in plain text, on a connection that nobody has spoken on (SPEC 9.1 says so of mail servers).
  return openPlain(url, until);
}

function openPlain(url: LdapUrl, until: Until): Promise<Opened> {
  const { host, port } = url;
  const socket = connect({ host, port, noDelay: true, keepAlive: true, signal: until.signal });
  return settled(socket, 'connect', until);
}

async function startTls(plain: Socket, url: LdapUrl, tls: LdapTls, until: Until): Promise<Opened> {
  const refusal = await requestTls(plain, until);
  if (refusal !== null) {
    plain.destroy();
    return { kind: 'failed', detail: refusal };
  }
  // As to mail servers (SPEC 9.1): optional encryption never verifies, required encryption does unless it is told not to.
  return encrypt(plain, url, tls, tls.mode === 'required' && tls.verify, until);
}

function encrypt(plain: Socket, url: LdapUrl, tls: LdapTls, verify: boolean, until: Until): Promise<Opened> {
  const name = tls.servername ?? url.host;
  const options: ConnectionOptions = {
    socket: plain,
    host: name,
    rejectUnauthorized: verify,
    minVersion: tls.minVersion,
    // RFC 6066 §3: SNI names hosts, never addresses.
    ...(isIP(name) === 0 ? { servername: name } : {}),
    ...(tls.ca === null ? {} : { ca: tls.ca }),
    ...(tls.identity === null ? {} : { cert: tls.identity.cert, key: tls.identity.key.reveal() }),
  };
  try {
    const secure = connectTls(options);
    secure.on('close', () => plain.destroy());
    return settled(secure, 'secureConnect', until);
  } catch (error) {
    // A certificate or key that is none is found out here.
    plain.destroy();
    return Promise.resolve({ kind: 'failed', detail: `TLS: ${messageOf(error)}` });
  }
}

function settled(socket: Socket, event: 'connect' | 'secureConnect', until: Until): Promise<Opened> {
  const opened = new Promise<Opened>((resolve) => {
    socket.once(event, () => resolve({ kind: 'open', socket }));
    // It stays: an error of a connection that nobody uses any more must not be thrown at nobody.
    socket.on('error', (error) => resolve({ kind: 'failed', detail: messageOf(error) }));
    socket.once('close', () => resolve({ kind: 'failed', detail: 'the directory closed the connection' }));
  });
  const late = (): Opened => {
    socket.destroy();
    return { kind: 'failed', detail: event === 'connect' ? 'no connection in time' : 'no TLS in time' };
  };
  return by(opened, until.deadlineMs, until.now, late);
}

const START_TLS = Buffer.from(`\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037`, 'latin1');
const EXTENDED_RESPONSE = 0x78;
const ENUMERATED = 0x0a;
const MAX_ANSWER_OCTETS = 4_096;

/**
 * Asks for TLS (RFC 4511 §4.14); null: granted, else why not. Done by hand, since the client library keeps octets that follow the answer and reads
 * them as if they had come encrypted: here whoever sends more than the answer before the handshake is refused.
 */
async function requestTls(socket: Socket, until: Until): Promise<string | null> {
  const answered = new Promise<string | null>((resolve) => {
    let octets = Buffer.alloc(0);
    const read = (chunk: Buffer): void => {
      octets = Buffer.concat([octets, chunk]);
      const refusal = octets.length > MAX_ANSWER_OCTETS ? 'the answer to STARTTLS is too long' : readAnswer(octets);
      if (refusal === undefined) return;
      socket.off('data', read);
      socket.pause();
      resolve(refusal);
    };
    socket.on('data', read);
    socket.once('close', () => resolve('the directory closed the connection instead of starting TLS'));
    socket.write(START_TLS);
  });
  return by(answered, until.deadlineMs, until.now, () => 'no answer to STARTTLS in time');
}

/** undefined: there is more to come. */
function readAnswer(octets: Buffer): string | null | undefined {
  const read = readMessages(octets);
  if (read.kind === 'malformed') return 'the answer to STARTTLS is no LDAP';
  const [answer, ...others] = read.messages;
  if (answer === undefined) return undefined;
  if (others.length > 0 || read.rest.length > 0) return 'something came behind the answer to STARTTLS';
  const at = startOf(answer, 0);
  const operation = at + 2 + (answer[at + 1] ?? 0);
  const code = startOf(answer, operation);
  if (answer[operation] !== EXTENDED_RESPONSE || answer[code] !== ENUMERATED)
    return 'the answer to STARTTLS is no answer to it';
  return answer[code + 2] === 0 ? null : `STARTTLS is refused with code ${answer[code + 2]}`;
}

/** Where the contents of the element at `at` begin. */
function startOf(message: Buffer, at: number): number {
  const length = readLength(message, at + 1);
  return typeof length === 'string' ? message.length : length.from;
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
