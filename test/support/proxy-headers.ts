/** PROXY headers as a proxy writes them. */
import { isIP } from 'node:net';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

export function proxyLine(client: string, port = 40_000): string {
  return isIP(client) === 4
    ? `PROXY TCP4 ${client} 192.0.2.25 ${port} 25\r\n`
    : `PROXY TCP6 ${client} 2001:db8::25 ${port} 25\r\n`;
}

/** `after`: what stands behind the addresses. */
export function proxyBlock(family: number, addresses: Buffer, after = Buffer.alloc(0), command = 1): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(addresses.length + after.length);
  return Buffer.concat([SIGNATURE, Buffer.from([0x20 | command, family]), length, addresses, after]);
}

export function proxyBlock4(client: string, port = 40_000, after = Buffer.alloc(0)): Buffer {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(port);
  ports.writeUInt16BE(25, 2);
  return proxyBlock(0x11, Buffer.concat([Buffer.from(client.split('.').map(Number)), Buffer.alloc(4), ports]), after);
}

/** `client`: 16 octets. */
export function proxyBlock6(client: Buffer, port = 40_000): Buffer {
  const ports = Buffer.alloc(4);
  ports.writeUInt16BE(port);
  return proxyBlock(0x21, Buffer.concat([client, Buffer.alloc(16), ports]));
}
