import { connect } from 'node:net';
import test from 'ava';
import { fakeGateway, openListening, TOKEN } from '../support/admin.ts';

const AUTHORIZED = `Host: gateway\r\nAuthorization: Bearer ${TOKEN}\r\n`;

/** What comes back, until the gateway ends the connection. */
async function answerTo(at: string, request: string): Promise<string> {
  const { hostname, port } = new URL(`http://${at}`);
  const socket = connect(Number(port), hostname);
  socket.write(request);
  let text = '';
  for await (const piece of socket) text += piece;
  return text;
}

function openStream(at: string): Promise<Response> {
  return fetch(`http://${at}/api/v1/events`, { headers: { authorization: `Bearer ${TOKEN}` } });
}

test('what is no request is told so in the shape of every error, with nothing of it told back', async (t) => {
  const { at } = await openListening(t);
  for (const [request, status, kind] of [
    ['s3cret\r\n\r\n', '400 Bad Request', 'bad-request'],
    ['GET /%zz HTTP/1.1\r\nHost: s3cret\r\nConnection: close\r\n\r\n', '400 Bad Request', 'bad-request'],
    [
      `GET / HTTP/1.1\r\nHost: gateway\r\nX: s3cret${'x'.repeat(20_000)}\r\n\r\n`,
      '431 Request Header Fields Too Large',
      'headers-too-large',
    ],
  ] as const) {
    const answer = await answerTo(at, request);
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    t.true(head.startsWith(`HTTP/1.1 ${status}\r\n`), head);
    t.regex(head, /\r\ncontent-security-policy: default-src 'none'/, kind);
    t.is(JSON.parse(body).error.kind, kind);
    t.false(answer.includes('s3cret'), kind);
  }
});

test('a stream of events is for GET only: the answer to HEAD would never end', async (t) => {
  const { at } = await openListening(t);
  for (const method of ['HEAD', 'POST', 'OPTIONS', 'DELETE']) {
    const answer = await answerTo(at, `${method} /api/v1/events HTTP/1.1\r\n${AUTHORIZED}Connection: close\r\n\r\n`);
    t.regex(answer, /^HTTP\/1\.1 405 .*\r\nallow: GET\r\n/s, method);
  }
});

test('who wants a stream when there are enough is told so', async (t) => {
  const { at } = await openListening(t);
  const streams = await Promise.all([...Array(16).keys()].map(() => openStream(at)));
  t.deepEqual([...new Set(streams.map(({ status }) => status))], [200]);
  const refused = await openStream(at);
  t.is(refused.status, 503);
  t.like(await refused.json(), { error: { kind: 'unavailable' } });
  await Promise.all(streams.map(({ body }) => body?.cancel()));
});

test('it listens on an IPv6 address, and names it as one', async (t) => {
  const { at } = await openListening(t, fakeGateway(), '::1');
  t.regex(at, /^\[::1\]:\d+$/);
  t.is((await fetch(`http://${at}/healthz`)).status, 200);
});
