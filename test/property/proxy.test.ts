import test from 'ava';
import fc from 'fast-check';
import { readProxyHeader } from '../../packages/listener/src/smtp/proxy.ts';
import { proxyBlock, proxyBlock4, proxyBlock6, proxyLine } from '../support/proxy-headers.ts';

const port = fc.integer({ min: 0, max: 65_535 });
const headers = fc.oneof(
  fc.tuple(fc.ipV4(), port).map(([address, from]) => Buffer.from(proxyLine(address, from))),
  fc.tuple(fc.ipV6(), port).map(([address, from]) => Buffer.from(proxyLine(address, from))),
  fc
    .tuple(fc.ipV4(), port, fc.uint8Array({ maxLength: 200 }))
    .map(([address, from, after]) => proxyBlock4(address, from, Buffer.from(after))),
  fc.uint8Array({ minLength: 16, maxLength: 16 }).map((address) => proxyBlock6(Buffer.from(address))),
  fc.uint8Array({ maxLength: 200 }).map((after) => proxyBlock(0, Buffer.alloc(0), Buffer.from(after), 0)),
  fc.constant(Buffer.from('PROXY UNKNOWN\r\n')),
);

test('a header is read when its last octet has come, no sooner, and what follows is not touched', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(headers, fc.uint8Array({ maxLength: 50 }), (header, after) => {
        for (let length = 0; length < header.length; length++) {
          if (readProxyHeader(header.subarray(0, length)).kind !== 'more') return false;
        }
        const whole = readProxyHeader(header);
        const followed = readProxyHeader(Buffer.concat([header, after]));
        if (whole.kind !== 'header' || followed.kind !== 'header') return false;
        t.deepEqual(followed.client, whole.client);
        return whole.rest.length === 0 && followed.rest.equals(after);
      }),
    ),
  );
});

test('whatever a peer sends, nobody waits for more than a header can have', (t) => {
  t.notThrows(() =>
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 300 }), fc.boolean(), (octets, isLine) => {
        const start = Buffer.from(isLine ? 'PROXY ' : '\r\n\r\n\0\r\nQUIT\n', 'latin1');
        const header = readProxyHeader(Buffer.concat([start, octets]));
        if (header.kind !== 'more') return true;
        return isLine ? octets.length + 6 < 107 : octets.length + 12 < 16 + 4_096;
      }),
    ),
  );
});
