import type { Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { type ListenerTls, oneLine } from '@callahead/core';
import { createAlarm } from './deadlines.ts';

/** How a conversation is encrypted, as TLS names it: `TLSv1.3`, `TLS_AES_256_GCM_SHA384`. */
export type Encryption = Readonly<{ protocol: string; cipher: string }>;

/** After `failed` the socket is gone. */
export type Handshake =
  | Readonly<{ kind: 'secure'; socket: TLSSocket; encryption: Encryption }>
  | Readonly<{ kind: 'failed'; reason: string }>;

/** Takes a plain socket, on which nobody else may read or write any more. Never rejects. */
export type ShakeHands = (plain: Socket) => Promise<Handshake>;

export type HandshakeOptions = Readonly<{ tls: ListenerTls; timeoutMs: number; now: () => number }>;

/** The server's side of TLS, with one context for all clients: to read certificates takes longer than to shake hands. */
export function createHandshakes({ tls, timeoutMs, now }: HandshakeOptions): ShakeHands {
  const { identity, minVersion, maxVersion, ciphers } = tls;
  const secureContext = createSecureContext({
    cert: identity.cert,
    key: identity.key.reveal(),
    minVersion,
    maxVersion,
    ciphers,
  });

  return (plain) =>
    new Promise((resolve) => {
      const secure = new TLSSocket(plain, { isServer: true, secureContext });
      // However the octets of a client trickle: all of its handshake has this long.
      const alarm = createAlarm(now, () => fail('no handshake in time'));
      const onError = (error: unknown): void => fail(wordsOf(error));
      const onClose = (): void => fail('the connection was closed during the handshake');

      function fail(why: string): void {
        alarm.clear();
        secure.destroy();
        plain.destroy();
        resolve({ kind: 'failed', reason: oneLine(why) });
      }

      alarm.set(now() + timeoutMs);
      // They stay: an error must not be thrown at nobody, and one that comes later ends the connection.
      secure.on('error', onError);
      secure.on('_tlsError', onError);
      secure.once('close', onClose);
      secure.once('secure', () => {
        alarm.clear();
        secure.off('close', onClose);
        resolve({ kind: 'secure', socket: secure, encryption: encryptionOf(secure) });
      });
    });
}

function encryptionOf(socket: TLSSocket): Encryption {
  return { protocol: socket.getProtocol() ?? 'TLS', cipher: socket.getCipher().standardName };
}

/** What OpenSSL calls a reason says it in words; its message is mostly places in its source. */
function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return 'reason' in error && typeof error.reason === 'string' ? error.reason : error.message;
}
