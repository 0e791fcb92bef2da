/** From a conversation in plain text to one over TLS (RFC 3207). */
import { isIP, type Socket } from 'node:net';
import { connect, createSecureContext, type SecureContext, type TLSSocket } from 'node:tls';
import type { ServerTls } from '../profile.ts';
import type { Reply } from '../verdict.ts';
import { type Broken, type Conversation, openConversation } from './conversation.ts';
import { oneLine } from './status.ts';

/**
 * `refused`: the server does not want to, and can be talked to as before. `failed`: there was no handshake, or what it showed is not believed; the
 * connection is gone once `closed` settles.
 */
export type Secured =
  | Readonly<{ kind: 'secure'; conversation: Conversation }>
  | Readonly<{ kind: 'refused'; reply: Reply }>
  | Readonly<{ kind: 'failed'; detail: string; lines: readonly string[]; closed: Promise<void> }>
  | Broken;

/** `name` led to the server: it is asked for and must be in the certificate, unless `tls` has another one. STARTTLS and the handshake end at `deadlineMs`. */
export type SecuringOptions = Readonly<{
  tls: ServerTls;
  name: string;
  deadlineMs: number;
  now: () => number;
  commandTimeoutMs: number;
}>;

/** Says STARTTLS and shakes hands. Nothing that was heard before counts after it: EHLO must follow (RFC 3207 §4.2). Never rejects. */
export async function startTls(plain: Conversation, options: SecuringOptions): Promise<Secured> {
  const { now, commandTimeoutMs } = options;
  const answer = await plain.handOver('STARTTLS', options.deadlineMs);
  if (answer.kind === 'broken') return answer;
  if (answer.kind === 'reply') return { kind: 'refused', reply: answer.reply };
  const { socket, transcript } = answer;
  const shaken = await shakeHands(socket, options);
  if (shaken.kind === 'failed') return { ...shaken, lines: transcript.lines(), closed: plain.closed };
  transcript.note(factsOf(shaken.socket, options.tls.servername ?? options.name));
  const conversation = openConversation(shaken.socket, { now, commandTimeoutMs, transcript });
  return { kind: 'secure', conversation };
}

type Shaken = Readonly<{ kind: 'shaken'; socket: TLSSocket }> | Readonly<{ kind: 'failed'; detail: string }>;

function shakeHands(plain: Socket, options: SecuringOptions): Promise<Shaken> {
  const { deadlineMs, now } = options;
  return new Promise((resolve) => {
    let secure: TLSSocket | null = null;
    // A stalled event loop finds its timers due before it reads the sockets: let it read first.
    const timer = setTimeout(() => setImmediate(late), Math.min(Math.max(1, deadlineMs - now()), 2 ** 30));
    const late = (): void => fail('no handshake in time');
    const onError = (error: unknown): void => fail(wordsOf(error));
    const onClose = (): void => fail('the server closed the connection during the handshake');

    function fail(why: string): void {
      clearTimeout(timer);
      secure?.destroy();
      plain.destroy();
      resolve({ kind: 'failed', detail: oneLine(`TLS: ${why}`) });
    }

    try {
      secure = secured(plain, options);
    } catch (error) {
      onError(error);
      return;
    }
    const socket = secure;
    // They stay until the socket is gone or the conversation's own listeners are there: an error must not be thrown at nobody.
    socket.on('error', onError);
    socket.once('close', onClose);
    socket.once('secureConnect', () => {
      clearTimeout(timer);
      socket.off('close', onClose);
      setImmediate(() => socket.off('error', onError));
      socket.once('close', () => plain.destroy());
      resolve({ kind: 'shaken', socket });
    });
  });
}

function secured(plain: Socket, { tls, name }: SecuringOptions): TLSSocket {
  const expected = tls.servername ?? name;
  return connect({
    socket: plain,
    secureContext: contextOf(tls),
    // Optional TLS never verifies: without it the same words would go out in plain text (SPEC 9.1).
    rejectUnauthorized: tls.mode === 'required' && tls.verify,
    host: expected,
    // RFC 6066 §3: it names hosts, never addresses.
    ...(isIP(expected) === 0 ? { servername: expected } : {}),
  });
}

/** To read certificates takes longer than to shake hands. */
const contexts = new WeakMap<ServerTls, SecureContext>();

function contextOf(tls: ServerTls): SecureContext {
  const known = contexts.get(tls);
  if (known !== undefined) return known;
  const { ca, identity, minVersion, maxVersion, ciphers } = tls;
  const context = createSecureContext({
    minVersion,
    maxVersion,
    ciphers,
    ...(ca === null ? {} : { ca }),
    ...(identity === null ? {} : { cert: identity.cert, key: identity.key.reveal() }),
  });
  contexts.set(tls, context);
  return context;
}

function factsOf(socket: TLSSocket, expected: string): string {
  const certificate = socket.authorized
    ? `certificate valid for ${expected}`
    : `certificate not verified (${socket.authorizationError})`;
  return `TLS: ${socket.getProtocol()} ${socket.getCipher().name}, ${certificate}`;
}

/** What OpenSSL calls a reason says it in words; its message is mostly places in its source. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
}
