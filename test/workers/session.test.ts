import type { Verdict } from '@callahead/core';
import test from 'ava';
import { startBench } from '../support/fake-main.ts';
import type { FakeServer, Move } from '../support/fake-server.ts';

const kinds = (verdicts: readonly Verdict[]): readonly string[] => verdicts.map(({ kind }) => kind);
const commands = (server: FakeServer, session = 0): readonly string[] => server.sessions[session]?.lines ?? [];
const users = ['a@x.example', 'b@x.example', 'c@x.example', 'd@x.example'];

test('recipients leave in one pipelined group, and the transaction stays open for the next batch', async (t) => {
  const { main, server } = await startBench(t, { users });
  t.deepEqual(kinds(await main.ask(['a@x.example', 'b@x.example'])), ['valid', 'valid']);
  t.deepEqual(kinds(await main.ask(['c@x.example'])), ['valid']);
  t.deepEqual(commands(server), [
    'EHLO gateway.example',
    'MAIL FROM:<>',
    'RCPT TO:<a@x.example>',
    'RCPT TO:<b@x.example>',
    'RCPT TO:<c@x.example>',
  ]);
});

test('what does not fit into the open transaction leaves whole in another one, where that costs no round trip', async (t) => {
  const { main, server } = await startBench(t, { users }, { maxRecipientsPerTransaction: 3 });
  t.deepEqual(kinds(await main.ask(['a@x.example', 'b@x.example'])), ['valid', 'valid']);
  t.deepEqual(kinds(await main.ask(['c@x.example', 'd@x.example'])), ['valid', 'valid']);
  t.deepEqual(commands(server).slice(4), ['RSET', 'MAIL FROM:<>', 'RCPT TO:<c@x.example>', 'RCPT TO:<d@x.example>']);
});

test('a server without pipelining has its open transaction filled first', async (t) => {
  const { main, server } = await startBench(t, { users, capabilities: [] }, { maxRecipientsPerTransaction: 3 });
  t.deepEqual(kinds(await main.ask(['a@x.example', 'b@x.example'])), ['valid', 'valid']);
  t.deepEqual(kinds(await main.ask(['c@x.example', 'd@x.example'])), ['valid', 'valid']);
  t.deepEqual(commands(server).slice(4), ['RCPT TO:<c@x.example>', 'RSET', 'MAIL FROM:<>', 'RCPT TO:<d@x.example>']);
});

test('a server without pipelining is asked one command at a time', async (t) => {
  const { main, server } = await startBench(t, {
    capabilities: ['8BITMIME'],
    on: {
      async RCPT({ session, address }) {
        const before = session.socket.bytesRead;
        for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate);
        t.is(session.socket.bytesRead, before);
        return address === 'b@x.example' ? '550 5.1.1 No' : '250 Ok';
      },
    },
  });
  t.deepEqual(kinds(await main.ask(['b@x.example', 'a@x.example', 'c@x.example'])), ['unknown', 'valid', 'valid']);
  t.is(server.asked.length, 3);
});

test('EHLO refused: HELO once', async (t) => {
  const { main, server } = await startBench(t, { users, on: { EHLO: () => '502 5.5.1 What?' } });
  t.deepEqual(kinds(await main.ask(['a@x.example', 'b@x.example'])), ['valid', 'valid']);
  t.deepEqual(commands(server).slice(0, 3), ['EHLO gateway.example', 'HELO gateway.example', 'MAIL FROM:<>']);
});

test('a refused MAIL is about us, and what the server says to the RCPTs of its group is not read', async (t) => {
  const { main } = await startBench(t, {
    on: { MAIL: () => '550 5.7.1 Not you', RCPT: () => '550 5.1.1 No such user' },
  });
  t.like(await main.ask(['a@x.example']), [{ kind: 'failed', cause: 'policy' }]);
});

test('where the server refuses the sender the fallback is tried once, and remembered', async (t) => {
  const { main, server } = await startBench(
    t,
    { users, on: { MAIL: ({ address }) => (address === '' ? '550 5.1.8 No bounces' : '250 Ok') } },
    { mailFromFallback: 'gw@gateway.example', maxRecipientsPerTransaction: 1 },
  );
  t.deepEqual(kinds(await main.ask(['a@x.example'])), ['valid']);
  t.deepEqual(kinds(await main.ask(['b@x.example'])), ['valid']);
  t.deepEqual(
    commands(server).filter((line) => line.startsWith('MAIL')),
    ['MAIL FROM:<>', 'MAIL FROM:<gw@gateway.example>', 'MAIL FROM:<gw@gateway.example>'],
  );
});

test('a sender refused at RCPT is as one refused at MAIL', async (t) => {
  const onRcpt = {
    RCPT: ({ session }: { session: { mailFrom: string } }) =>
      session.mailFrom === '' ? '450 4.1.8 No bounces' : '250 Ok',
  };
  const with1 = await startBench(t, { on: onRcpt }, { mailFromFallback: 'gw@gateway.example' });
  t.deepEqual(kinds(await with1.main.ask(['a@x.example', 'b@x.example'])), ['valid', 'valid']);
  const without = await startBench(t, { on: { RCPT: () => '550 5.1.7 Bad sender' } });
  t.like(await without.main.ask(['a@x.example']), [{ kind: 'failed', cause: 'policy' }]);
});

test('"enough for now" on a later RCPT is asked in a new transaction, and the limit is remembered', async (t) => {
  const { main, server } = await startBench(t, {
    users,
    on: { RCPT: ({ session }) => (session.rcptsInTransaction > 2 ? '452 4.5.3 Too many recipients' : '250 Ok') },
  });
  t.deepEqual(kinds(await main.ask(users)), ['valid', 'valid', 'valid', 'valid']);
  const before = server.asked.length;
  t.is(before, 6);
  t.deepEqual(
    kinds(await main.ask(['e@x.example', 'f@x.example', 'g@x.example', 'h@x.example'])),
    Array(4).fill('valid'),
  );
  t.is(server.asked.length, before + 4);
  t.is(server.sessions.length, 1);
});

test('452 on the first RCPT of a transaction is temporary, 552 is refused', async (t) => {
  const { main } = await startBench(t, {
    on: { RCPT: ({ address }) => (address === 'a@x.example' ? '452 4.5.3 Busy' : '552 Full') },
  });
  t.deepEqual(kinds(await main.ask(['a@x.example'])), ['temporary']);
  const other = await startBench(t, { on: { RCPT: () => '552 Full' } });
  t.deepEqual(kinds(await other.main.ask(['b@x.example'])), ['refused']);
});

test('a 421 in the middle: the answered stay answered, the others are asked once more on a fresh connection', async (t) => {
  const { main, server } = await startBench(t, {
    users,
    on: {
      RCPT: ({ session }) =>
        session.number === 0 && session.rcpts === 2 ? { reply: '421 4.3.2 Going down', close: true } : '250 Ok',
    },
  });
  t.deepEqual(kinds(await main.ask(['a@x.example', 'b@x.example', 'c@x.example'])), ['valid', 'valid', 'valid']);
  t.deepEqual(commands(server, 1).slice(2), ['RCPT TO:<b@x.example>', 'RSET', 'MAIL FROM:<>', 'RCPT TO:<c@x.example>']);
});

test('a server that hangs up at a second recipient has every recipient of a group judged', async (t) => {
  const { main } = await startBench(t, {
    users,
    on: {
      RCPT: ({ address, session }) => {
        if (session.rcptsInTransaction > 1) return { reply: '550 Only one recipient for the null sender', close: true };
        return users.includes(address) ? '250 Ok' : '550 5.1.1 No such user';
      },
    },
  });
  const group = ['a@x.example', 'b@x.example', 'n1@x.example', 'n2@x.example', 'c@x.example'];
  t.deepEqual(kinds(await main.ask(group)), ['valid', 'valid', 'unknown', 'unknown', 'valid']);
});

test('a server that always says 421 to RCPT is temporary, one that always closes failed, after one more try', async (t) => {
  const leaving = await startBench(t, { on: { RCPT: () => ({ reply: '421 4.3.2 Later', close: true }) } });
  t.like(await leaving.main.ask(['a@x.example']), [{ kind: 'temporary', reply: { code: 421 } }]);
  t.is(leaving.server.sessions.length, 2);
  const closing = await startBench(t, { on: { RCPT: () => ({ kind: 'close' }) } });
  t.like(await closing.main.ask(['a@x.example']), [{ kind: 'failed', cause: 'connect' }]);
  t.is(closing.server.sessions.length, 2);
});

test('a 421 or a close before MAIL is accepted is the end for that server', async (t) => {
  const leaving = await startBench(t, { on: { MAIL: () => ({ reply: '421 4.3.2 Later', close: true }) } });
  t.like(await leaving.main.ask(['a@x.example']), [{ kind: 'temporary' }]);
  t.is(leaving.server.sessions.length, 1);
  const closing = await startBench(t, { on: { MAIL: () => ({ kind: 'close' }) } });
  t.like(await closing.main.ask(['a@x.example']), [{ kind: 'failed', cause: 'connect' }]);
  t.is(closing.server.sessions.length, 1);
});

test('a pooled connection found dead is replaced without a word', async (t) => {
  const { main, server } = await startBench(t, {
    on: { RCPT: ({ session }) => (session.number === 0 && session.rcpts > 1 ? { kind: 'reset' } : '250 Ok') },
  });
  t.deepEqual(kinds(await main.ask(['a@x.example'])), ['valid']);
  t.deepEqual(kinds(await main.ask(['b@x.example'])), ['valid']);
  t.is(server.sessions.length, 2);
});

test('the silent retry of a dead pooled connection does not use up the one after a loss', async (t) => {
  const { main, server } = await startBench(t, {
    on: {
      RCPT({ session }) {
        if (session.number === 0 && session.rcpts > 1) return { kind: 'reset' };
        return session.number === 1 ? { reply: '421 4.3.2 Restarting', close: true } : '250 Ok';
      },
    },
  });
  await main.ask(['a@x.example']);
  t.deepEqual(kinds(await main.ask(['b@x.example'])), ['valid']);
  t.is(server.sessions.length, 3);
});

test('a 5xx with the close right behind it is asked again, alone, on a fresh session', async (t) => {
  const { main, server } = await startBench(t, {
    on: {
      RCPT: ({ session, address }) => {
        if (session.number === 0 && session.rcpts === 2) return { reply: '550 5.7.1 Too many bad ones', close: true };
        return address === 'bad@x.example' ? '550 5.1.1 No such user' : '250 Ok';
      },
    },
  });
  t.deepEqual(kinds(await main.ask(['bad@x.example', 'a@x.example'])), ['unknown', 'valid']);
  t.deepEqual(commands(server, 1).slice(1), ['MAIL FROM:<>', 'RCPT TO:<a@x.example>']);
  // What it got alone was a 2xx: from now on one recipient a transaction.
  await main.ask(['c@x.example', 'd@x.example']);
  t.deepEqual(commands(server, 1).slice(3), [
    'RSET',
    'MAIL FROM:<>',
    'RCPT TO:<c@x.example>',
    'RSET',
    'MAIL FROM:<>',
    'RCPT TO:<d@x.example>',
  ]);
});

test('a 5xx followed by a close while others are outstanding is no verdict; the others are asked once more', async (t) => {
  const { main, server } = await startBench(t, {
    on: {
      RCPT: ({ session, address }) => {
        if (session.number === 0) return { reply: '550 5.1.1 No such user', close: true };
        return address === 'bad@x.example' ? '550 5.1.1 No such user' : '250 Ok';
      },
    },
  });
  t.deepEqual(kinds(await main.ask(['a@x.example', 'b@x.example', 'bad@x.example'])), ['valid', 'valid', 'unknown']);
  const alone = server.sessions.find(({ lines }) => lines.includes('RCPT TO:<a@x.example>') && lines.length === 3);
  t.truthy(alone);
});

test('a server that accepts one recipient a transaction for <> never makes a valid one unknown', async (t) => {
  const valid = Array.from({ length: 8 }, (_, i) => `user${i}@x.example`);
  const { main, server } = await startBench(t, {
    on: {
      RCPT: ({ session, address }) => {
        if (session.accepted.length > 0) return '550 5.5.3 One recipient for bounces';
        return valid.includes(address) ? '250 Ok' : '550 5.1.1 No such user';
      },
    },
  });
  const verdicts = await main.ask([...valid, 'bad@x.example']);
  t.deepEqual(kinds(verdicts), [...valid.map(() => 'valid'), 'unknown']);
  t.true(server.sessions.length <= 3, 'one doubt is enough to learn it');
  const before = server.sessions.length;
  t.deepEqual(kinds(await main.ask(['bad2@x.example', 'bad3@x.example'])), ['unknown', 'unknown']);
  t.is(server.sessions.length, before);
});

test('the same 5xx alone marks shared transactions as safe', async (t) => {
  const { main, server } = await startBench(t, { users });
  const first = await main.ask(['a@x.example', 'bad1@x.example', 'bad2@x.example', 'bad3@x.example']);
  t.deepEqual(kinds(first), ['valid', 'unknown', 'unknown', 'unknown']);
  t.is(server.sessions.length, 2);
  t.is(server.asked.length, 5);
  t.deepEqual(kinds(await main.ask(['b@x.example', 'bad4@x.example'])), ['valid', 'unknown']);
  t.is(server.sessions.length, 2);
  t.is(server.asked.length, 7);
});

test('with another sender than <> or postmaster a 5xx in a shared transaction is believed at once', async (t) => {
  const { main, server } = await startBench(t, { users }, { mailFrom: 'gw@gateway.example' });
  t.deepEqual(kinds(await main.ask(['a@x.example', 'bad1@x.example'])), ['valid', 'unknown']);
  t.is(server.sessions.length, 1);
});

test('a refused RSET closes the connection and says nothing about a recipient', async (t) => {
  const { main, server } = await startBench(
    t,
    { users, on: { RSET: () => '500 5.5.1 What?' } },
    { maxRecipientsPerTransaction: 1 },
  );
  t.deepEqual(kinds(await main.ask(['a@x.example'])), ['valid']);
  t.deepEqual(kinds(await main.ask(['b@x.example'])), ['valid']);
  t.is(server.sessions.length, 2);
});

test('no answer to RCPT that can be understood: failed protocol, and the connection is used no more', async (t) => {
  for (const move of ['503 5.5.1 Bad sequence', '354 Go on', { raw: 'what is this\r\n' }] satisfies Move[]) {
    const { main, server } = await startBench(t, {
      on: { RCPT: ({ session }) => (session.number === 0 ? move : '250 Ok') },
    });
    t.like(await main.ask(['a@x.example']), [{ kind: 'failed', cause: 'protocol' }]);
    t.deepEqual(kinds(await main.ask(['b@x.example'])), ['valid']);
    t.is(server.sessions.length, 2);
  }
});

test('a UTF-8 recipient is asked with SMTPUTF8 in a transaction of its own', async (t) => {
  const { main, server } = await startBench(t, { users: [...users, 'ü@x.example'] });
  t.deepEqual(kinds(await main.ask(['a@x.example', 'ü@x.example', 'b@x.example'])), ['valid', 'valid', 'valid']);
  t.deepEqual(commands(server).slice(1), [
    'MAIL FROM:<>',
    'RCPT TO:<a@x.example>',
    'RSET',
    'MAIL FROM:<> SMTPUTF8',
    'RCPT TO:<ü@x.example>',
    'RSET',
    'MAIL FROM:<>',
    'RCPT TO:<b@x.example>',
  ]);
  const plain = await startBench(t, { capabilities: ['PIPELINING'] });
  t.like(await plain.main.ask(['ü@x.example']), [{ kind: 'refused', reply: { code: 553, enhanced: '5.6.7' } }]);
});

test('the dialogue of a probe that was not valid is told once, printable, under the verdict’s reference', async (t) => {
  const { main } = await startBench(t, { on: { RCPT: () => '550 5.1.1 Kein Empf\u00e4nger' } });
  const [verdict] = await main.ask(['a@x.example', 'a@x.example']);
  const dialogues = main.told.filter((message) => message.kind === 'dialogue');
  t.is(dialogues.length, 1);
  const [dialogue] = dialogues;
  if (verdict?.kind !== 'unknown' || dialogue?.kind !== 'dialogue') return t.fail();
  t.is(dialogue.ref, verdict.ref);
  t.true(dialogue.lines.includes('C: RCPT TO:<a@x.example>'));
  t.true(dialogue.lines.some((line) => line.startsWith('S: 550 5.1.1 Kein Empf')));
  t.true(dialogue.lines.every((line) => /^[\x20-\x7e]*$/.test(line)));
  const [cached] = await main.ask(['a@x.example']);
  t.like(cached, { kind: 'unknown', source: 'cache', ref: verdict.ref });
});
