import { type Conversation, dial, openConversation, type Said } from '@callahead/core';
import test, { type ExecutionContext } from 'ava';
import { type FakeOptions, NOBODYS_ADDRESS, startFakeServer } from '../support/fake-server.ts';

const now = (): number => performance.now();

async function converse(t: ExecutionContext, options: FakeOptions, commandTimeoutMs = 2_000): Promise<Conversation> {
  const server = await startFakeServer(options);
  t.teardown(server.stop);
  const dialed = await dial({ kind: 'tcp', address: '127.0.0.1', port: server.port, from: { kind: 'auto' } }, 1_000);
  if (dialed.kind !== 'open') throw new Error(dialed.detail);
  const conversation = openConversation(dialed.socket, { now, commandTimeoutMs });
  t.teardown(conversation.destroy);
  return conversation;
}

function codeOf(said: Said): number | string {
  return said.kind === 'reply' ? said.reply.code : said.cause;
}

const soon = (): number => now() + 5_000;

test('replies to pipelined commands settle in order', async (t) => {
  const smtp = await converse(t, { users: ['a@x.example'] });
  t.is(codeOf(await smtp.greeting(soon())), 220);
  const said = await Promise.all(
    smtp.cmds(['EHLO me.example', 'MAIL FROM:<>', 'RCPT TO:<a@x.example>', 'RCPT TO:<b@x.example>'], soon()),
  );
  t.deepEqual(said.map(codeOf), [250, 250, 250, 550]);
  t.true(smtp.usable());
  t.deepEqual(smtp.transcript().slice(-2), ['S: 250 2.1.5 Ok', 'S: 550 5.1.1 No such user']);
});

test('a silent server breaks the conversation at the command time-out, and everything outstanding with it', async (t) => {
  const smtp = await converse(t, { on: { EHLO: () => ({ kind: 'silent' }) } }, 50);
  await smtp.greeting(soon());
  const said = await Promise.all(smtp.cmds(['EHLO me.example', 'MAIL FROM:<>'], soon()));
  t.deepEqual(said.map(codeOf), ['timeout', 'timeout']);
  t.is(codeOf(await smtp.cmd('RSET', soon())), 'timeout');
  await smtp.closed;
});

test('the deadline counts although single replies are quick', async (t) => {
  const smtp = await converse(t, { on: { EHLO: () => ({ kind: 'silent' }) } }, 60_000);
  await smtp.greeting(soon());
  t.is(codeOf(await smtp.cmd('EHLO me.example', now() + 30)), 'timeout');
});

test('a reply that nobody asked for makes a connection unusable and is kept', async (t) => {
  const smtp = await converse(t, { on: { EHLO: () => ({ raw: '250 me\r\n421 4.3.2 Going down\r\n' }) } });
  await smtp.greeting(soon());
  t.is(codeOf(await smtp.cmd('EHLO me.example', soon())), 250);
  await smtp.closed;
  t.false(smtp.usable());
  t.is(smtp.broken()?.reply?.code, 421);
});

test('garbage breaks the conversation as a protocol error', async (t) => {
  const smtp = await converse(t, { on: { connect: () => ({ raw: 'SSH-2.0-OpenSSH\r\n' }) } });
  t.is(codeOf(await smtp.greeting(soon())), 'protocol');
});

test('a close behind a reply is seen as such', async (t) => {
  const smtp = await converse(t, { on: { RCPT: () => ({ reply: '550 5.1.1 No', close: true }) } });
  await smtp.greeting(soon());
  const [, , rcpt, second] = smtp.cmds(
    ['EHLO me.example', 'MAIL FROM:<>', 'RCPT TO:<a@x.example>', 'RCPT TO:<b@x.example>'],
    soon(),
  );
  const said = await rcpt;
  if (said?.kind !== 'reply') throw new Error('no reply');
  t.is(await said.behind(), 'close');
  t.is(codeOf((await second) ?? said), 'connect');
});

test('another reply behind a reply, and quiet when nothing is outstanding', async (t) => {
  const smtp = await converse(t, {});
  await smtp.greeting(soon());
  const [ehlo, mail] = await Promise.all(smtp.cmds(['EHLO me.example', 'MAIL FROM:<>'], soon()));
  if (ehlo?.kind !== 'reply' || mail?.kind !== 'reply') throw new Error('no reply');
  t.is(await ehlo.behind(), 'reply');
  t.is(await mail.behind(), 'quiet');
});

test('a close together with the last reply is a close behind it', async (t) => {
  const smtp = await converse(t, { on: { RCPT: () => ({ reply: '550 5.1.1 No', close: true }) } });
  await smtp.greeting(soon());
  const said = (await Promise.all(smtp.cmds(['EHLO me.example', 'MAIL FROM:<>', 'RCPT TO:<a@x.example>'], soon()))).at(
    -1,
  );
  if (said?.kind !== 'reply') throw new Error('no reply');
  t.is(await said.behind(), 'close');
});

test('QUIT does not wait longer for the answers to what was asked before it', async (t) => {
  const smtp = await converse(t, { on: { RCPT: () => ({ kind: 'silent' }) } }, 60_000);
  await smtp.greeting(soon());
  const [, rcpt] = smtp.cmds(['MAIL FROM:<>', 'RCPT TO:<a@x.example>'], Number.POSITIVE_INFINITY);
  await smtp.quit(50);
  t.is(codeOf((await rcpt) as Said), 'timeout');
  await smtp.closed;
});

test('QUIT ends it', async (t) => {
  const smtp = await converse(t, {});
  await smtp.greeting(soon());
  await smtp.quit(1_000);
  t.false(smtp.usable());
  t.true(smtp.transcript().includes('S: 221 2.0.0 Bye'));
});

test('a command with a line end inside is a broken program', async (t) => {
  const smtp = await converse(t, {});
  t.throws(() => smtp.cmds(['RCPT TO:<a\r\nDATA>'], soon()));
});

test('a refused connection is a value', async (t) => {
  const dialed = await dial({ kind: 'tcp', address: NOBODYS_ADDRESS, port: 2525, from: { kind: 'auto' } }, 1_000);
  t.deepEqual(dialed, { kind: 'failed', cause: 'connect', detail: 'ECONNREFUSED' });
});

test('a name is not dialled', (t) => {
  t.throws(() => dial({ kind: 'tcp', address: 'localhost', port: 25, from: { kind: 'auto' } }, 1_000), {
    message: /literal address/,
  });
});
