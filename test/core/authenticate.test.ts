import { authenticate, type Conversation, dial, openConversation, secretOf } from '@callahead/core';
import test, { type ExecutionContext } from 'ava';
import { type FakeOptions, type FakeServer, startFakeServer } from '../support/fake-server.ts';

const now = (): number => performance.now();
const soon = (): number => now() + 5_000;
const gw = { user: 'gw', password: secretOf('geheim') };

async function meet(t: ExecutionContext, options: FakeOptions = {}): Promise<readonly [Conversation, FakeServer]> {
  const server = await startFakeServer({ passwords: { gw: 'geheim' }, ...options });
  t.teardown(server.stop);
  const dialed = await dial({ kind: 'tcp', address: '127.0.0.1', port: server.port, from: { kind: 'auto' } }, 1_000);
  if (dialed.kind !== 'open') throw new Error(dialed.detail);
  const conversation = openConversation(dialed.socket, { now, commandTimeoutMs: 2_000 });
  t.teardown(conversation.destroy);
  await conversation.greeting(soon());
  return [conversation, server];
}

for (const mechanisms of [['PLAIN', 'LOGIN'], ['LOGIN'], ['XOAUTH2', 'PLAIN']]) {
  test(`of ${mechanisms.join(' and ')} one is spoken, and the password does not show`, async (t) => {
    const [smtp, server] = await meet(t, { mechanisms });
    t.like(await authenticate(smtp, gw, mechanisms, soon()), { kind: 'reply', reply: { code: 235 } });
    t.is(server.sessions[0]?.user, 'gw');
    t.true(smtp.transcript().includes(mechanisms.includes('PLAIN') ? 'C: AUTH PLAIN ****' : 'C: ****'));
    const shown = smtp.transcript().join('\n');
    for (const secret of ['geheim', '\0gw\0geheim']) {
      t.false(shown.includes(secret));
      t.false(shown.includes(Buffer.from(secret).toString('base64')));
    }
  });
}

test('neither PLAIN nor LOGIN: nothing is said', async (t) => {
  const [smtp, server] = await meet(t);
  t.is(await authenticate(smtp, gw, ['CRAM-MD5'], soon()), null);
  t.deepEqual(server.sessions[0]?.lines, []);
});

test('a server that repeats what it was told does not make it known', async (t) => {
  const [smtp] = await meet(t, { on: { AUTH: ({ line }) => `535 5.7.8 "${line}" is wrong, geheim` } });
  const said = await authenticate(smtp, gw, ['PLAIN'], soon());
  t.like(said, { kind: 'reply', reply: { code: 535, enhanced: '5.7.8', text: '"AUTH PLAIN ****" is wrong, ****' } });
  t.is(smtp.transcript().at(-1), 'S: 535 5.7.8 "AUTH PLAIN ****" is wrong, ****');
});

test('what is said after it is shown as it is', async (t) => {
  const [smtp] = await meet(t, { passwords: { gw: '5' }, on: { NOOP: () => '250 2.0.5 5' } });
  await authenticate(smtp, { user: 'gw', password: secretOf('5') }, ['PLAIN'], soon());
  t.like(await smtp.cmd('NOOP', soon()), { reply: { enhanced: '2.0.5', text: '5' } });
});
