/** The client's side of TLS in a dialogue: from a plain conversation to an encrypted one. */
import { connect as connectPlain, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import type { ListenerTls } from '@callahead/core';
import { secretOf } from '../../packages/core/src/secret.ts';
import { createCertificate } from './certificates.ts';
import { type Client, converse } from './dialogue.ts';

const own = createCertificate({ names: ['mx.gateway.example'] });

/** How a listener of a test is encrypted. */
export function tlsSettings(mode: ListenerTls['mode'], more: Partial<ListenerTls> = {}): ListenerTls {
  const identity = { cert: own.cert, key: secretOf(own.key) };
  return { mode, identity, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3', ciphers: 'DEFAULT', ...more };
}

/** Shakes hands on a socket that has been talked on; rejects where there is no handshake. */
export async function shakeHands(socket: Socket): Promise<TLSSocket> {
  socket.removeAllListeners('data');
  const secure = connect({ socket, rejectUnauthorized: false, servername: 'mx.gateway.example' });
  await new Promise<void>((resolve, reject) => {
    secure.once('secureConnect', resolve);
    secure.once('error', reject);
    secure.once('close', () => reject(new Error('closed during the handshake')));
  });
  return secure;
}

/** Says STARTTLS, shakes hands, and goes on encrypted. */
export async function secured(client: Client): Promise<Client> {
  client.send('STARTTLS\r\n');
  const [line = ''] = await client.reply();
  if (!line.startsWith('220 2.0.0')) throw new Error(`no TLS: ${client.transcript()}`);
  return converse(await shakeHands(client.socket));
}

/** A client that begins with TLS, and perhaps with octets before it. */
export async function connectSecurely(port: number, before: string | Buffer = ''): Promise<Client> {
  const socket = connectPlain({ port, host: '127.0.0.1' });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  if (before.length > 0) socket.write(before);
  return converse(await shakeHands(socket));
}
