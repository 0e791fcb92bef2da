import type { Reply, Verdict } from '@callahead/core';
import test from 'ava';
import { connectClient, openSession, play } from '../support/dialogue.ts';
import { deliveredTo, fakeRelay, knows, openFrontDoor } from '../support/front-door.ts';
import { until } from '../support/until.ts';

const HELLO = `
  S: 220 mx.gateway.example ESMTP
  C: EHLO client.example
  S: 250*
`;
const MAIL = `${HELLO}
  C: MAIL FROM:<sender@client.example>
  S: 250 2.1.0
`;
const RCPT = `${MAIL}
  C: RCPT TO:<known@example.com>
  S: 250 2.1.5
`;
const QUIT = `
  C: QUIT
  S: 221 2.0.0
  S: (closed)
`;

/** One line for each single command that is refused in this state, with what it gets. */
const REFUSED: readonly [string, string, string][] = [
  [HELLO, 'RCPT TO:<known@example.com>', '503 5.5.1'],
  [HELLO, 'DATA', '503 5.5.1'],
  ['S: 220', 'MAIL FROM:<a@client.example>', '503 5.5.1'],
  ['S: 220', 'EHLO', '501 5.5.4'],
  ['S: 220', 'EHLO two words', '501 5.5.4'],
  [MAIL, 'MAIL FROM:<a@client.example>', '503 5.5.1'],
  [MAIL, 'DATA', '554 5.5.1'],
  [RCPT, 'DATA now', '501 5.5.4'],
  [HELLO, 'MAIL FROM:a@client.example', '501 5.5.4'],
  [HELLO, 'MAIL TO:<a@client.example>', '501 5.5.4'],
  [HELLO, 'MAIL FROM:<a@client.example> SIZE=1000001', '552 5.3.4'],
  [HELLO, 'MAIL FROM:<a@client.example> RET=HDRS', '555 5.5.4'],
  [HELLO, 'MAIL FROM:<a b@client.example>', '501 5.1.7'],
  [HELLO, 'MAIL FROM:<j\xc3\xbcrgen@client.example>', '553 5.6.7'],
  [MAIL, 'RCPT TO:<known@example.com> NOTIFY=NEVER', '555 5.5.4'],
  [MAIL, 'RCPT TO:<known@example.com> ORCPT=rfc822;x+20NOTIFY+3DSUCCESS', '555 5.5.4'],
  [MAIL, 'RCPT TO:<>', '501 5.1.3'],
  [MAIL, 'RCPT TO:known@example.com', '501 5.5.4'],
  [MAIL, 'RCPT FROM:<known@example.com>', '501 5.5.4'],
  [MAIL, 'RCPT TO:<known%example.com@example.com>', '553 5.1.3'],
  [MAIL, 'RCPT TO:<"known@example.com>', '501 5.5.4'],
  [MAIL, 'RCPT TO:<j\xc3\xbcrgen@example.com>', '553 5.6.7'],
  [MAIL, 'RCPT TO:<\xff@example.com>', '501 5.1.3'],
  [MAIL, 'RCPT TO:<kn\u0000own@example.com>', '501 5.1.3'],
  [HELLO, 'RSET now', '501 5.5.4'],
  [HELLO, 'VRFY known', '252 2.0.0'],
  [HELLO, 'VRFY', '501 5.5.4'],
  [HELLO, 'EXPN list', '502 5.5.1'],
  [HELLO, 'STARTTLS', '502 5.5.1'],
  [HELLO, 'AUTH PLAIN AGEAYg==', '502 5.5.1'],
  [HELLO, 'WIZ', '500 5.5.2'],
  [HELLO, '', '500 5.5.2'],
  [HELLO, 'x'.repeat(3_000), '500 5.5.2'],
];
for (const [before, command, wanted] of REFUSED) {
  const shown = JSON.stringify(command.slice(0, 60));
  const state = { [HELLO]: 'after EHLO', [MAIL]: 'after MAIL', [RCPT]: 'after RCPT' }[before] ?? 'at first';
  test(`${shown} ${state} gets ${wanted}, and the session goes on`, async (t) => {
    const { port } = await openFrontDoor(t);
    await t.notThrowsAsync(
      play(port, `${before}\nC! ${JSON.stringify(`${command}\r\n`)}\nS: ${wanted}\nC: NOOP\nS: 250 2.0.0\n${QUIT}`),
    );
  });
}

test('commands are the same in both cases, and a space before a path is forgiven', async (t) => {
  const { port } = await openFrontDoor(t);
  await t.notThrowsAsync(
    play(
      port,
      `S: 220
     C: helo client.example
     S: 250 mx.gateway.example
     C: mail from: <> body=8bitmime
     S: 250
     C: rcpt to: <known@EXAMPLE.com>
     S: 250 2.1.5
     C: rset
     S: 250 2.0.0
     C: noop anything
     S: 250 2.0.0
     C: rcpt to:<known@example.com>
     S: 503
     ${QUIT}`,
    ),
  );
});

test('EHLO ends the transaction', async (t) => {
  const { port } = await openFrontDoor(t);
  await t.notThrowsAsync(play(port, `${RCPT}\nC: EHLO again.example\nS: 250*\nC: DATA\nS: 503\n${QUIT}`));
});

test('pipelined recipients are asked together, and answered in their order', async (t) => {
  let most = 0;
  const waiting: (() => void)[] = [];
  const { port } = await openFrontDoor(t, {
    validate: (request) =>
      new Promise<Verdict>((resolve) => {
        waiting.push(async () => resolve(await knows('u1', 'u3')(request)));
        most = Math.max(most, waiting.length);
        // Once all are here, the last is the first to know.
        if (waiting.length === 4) for (const tell of waiting.reverse()) tell();
      }),
  });
  await play(
    port,
    `${HELLO}
     C: MAIL FROM:<>
     C: RCPT TO:<u1@example.com>
     C: RCPT TO:<u2@example.com>
     C: RCPT TO:<bad
     C: RCPT TO:<u3@example.com>
     C: RCPT TO:<u4@example.com>
     C: DATA
     S: 250 2.1.0
     S: 250 2.1.5
     S: 550 5.1.1
     S: 501
     S: 250 2.1.5
     S: 550 5.1.1
     S: 354
     C: .
     S: 250 2.0.0
     ${QUIT}`,
  );
  t.is(most, 4);
});

test('a session looks no further ahead than its limit', async (t) => {
  const waiting: (() => void)[] = [];
  let most = 0;
  const { port } = await openFrontDoor(t, {
    limits: { lookAhead: 3 },
    validate: () =>
      new Promise<Verdict>((resolve) => {
        waiting.push(() => resolve({ kind: 'valid', source: 'server', server: '' }));
        most = Math.max(most, waiting.length);
        setImmediate(() => {
          if (waiting.length === 3) for (const tell of waiting.splice(0)) tell();
        });
      }),
  });
  const rcpts = Array.from({ length: 9 }, (_, i) => `C: RCPT TO:<u${i}@example.com>`).join('\n');
  await play(port, `${MAIL}\n${rcpts}\n${'S: 250 2.1.5\n'.repeat(9)}\n${QUIT}`);
  t.is(most, 3);
});

test('what came in many segments while a session waited is all obeyed', async (t) => {
  let tell = (): void => {};
  const { port } = await openFrontDoor(t, {
    limits: { lookAhead: 1 },
    validate: (request) => {
      if (request.recipient.local !== 'slow') return knows('known')(request);
      return new Promise((resolve) => {
        tell = () => resolve({ kind: 'valid', source: 'server', server: '' });
      });
    },
  });
  const client = await openSession(t, port, 'EHLO c.example', 'MAIL FROM:<>');
  for (const address of ['slow', 'known', 'known', 'nobody', 'known']) {
    client.send(`RCPT TO:<${address}@example.com>\r\n`);
    await new Promise((resolve) => void setTimeout(resolve, 10));
  }
  tell();
  const codes: (string | undefined)[] = [];
  for (let i = 0; i < 5; i++) codes.push((await client.line())?.slice(0, 3));
  t.deepEqual(codes, ['250', '250', '250', '550', '250']);
});

test('MAIL is answered in one piece with the recipients behind it', async (t) => {
  const { port } = await openFrontDoor(t, {
    validate: async () => {
      await new Promise((resolve) => setTimeout(resolve, 10));
      return { kind: 'valid', source: 'server', server: '' };
    },
  });
  const client = await openSession(t, port, 'EHLO client.example');
  const pieces: string[] = [];
  client.socket.on('data', (piece) => pieces.push(piece.toString()));
  client.send('MAIL FROM:<>\r\nRCPT TO:<ann@example.com>\r\nRCPT TO:<bob@example.com>\r\n');
  for (let reply = 0; reply < 3; reply++) await client.line();
  t.is(pieces.length, 1, pieces.join('|'));
});

test('what is known is told before a long wait', async (t) => {
  let tell = (): void => {};
  const { port } = await openFrontDoor(t, {
    validate: (request) => {
      if (request.recipient.local !== 'slow') return knows('known')(request);
      return new Promise((resolve) => {
        tell = () => resolve({ kind: 'valid', source: 'server', server: '' });
      });
    },
  });
  const client = await openSession(t, port, 'EHLO client.example');
  client.send('MAIL FROM:<>\r\nRCPT TO:<known@example.com>\r\nRCPT TO:<slow@example.com>\r\nRSET\r\n');
  t.regex((await client.line()) ?? '', /^250 2\.1\.0/);
  t.regex((await client.line()) ?? '', /^250 2\.1\.5/);
  tell();
  t.regex((await client.line()) ?? '', /^250 2\.1\.5/);
  t.regex((await client.line()) ?? '', /^250 2\.0\.0/);
});

test('a recipient whose question is never answered is answered at the deadline', async (t) => {
  const { port } = await openFrontDoor(t, {
    validationTimeoutMs: 100,
    actions: { onValidationFailure: { kind: 'reject' } },
    validate: () => new Promise(() => {}),
  });
  const startMs = performance.now();
  await play(
    port,
    `${MAIL}\nC: RCPT TO:<u1@example.com>\nC: RCPT TO:<u2@example.com>\nS: 451 4.4.2\nS: 451 4.4.2\n${QUIT}`,
  );
  t.true(performance.now() - startMs < 5_000);
});

test('a custom reply that disconnects is the last thing said', async (t) => {
  const onUnknown = { kind: 'reply', code: 550, enhanced: null, text: 'Enough', disconnect: true } as const;
  const { port } = await openFrontDoor(t, { actions: { onUnknown } });
  await t.notThrowsAsync(
    play(
      port,
      `${MAIL}
     C: RCPT TO:<known@example.com>
     C: RCPT TO:<nobody@example.com>
     C: RCPT TO:<known@example.com>
     C: DATA
     S: 250 2.1.5
     S: 550 5.1.1 Enough
     S: (closed)`,
    ),
  );
});

test('so many mistakes are forgiven, and no more', async (t) => {
  const { port } = await openFrontDoor(t, { limits: { syntaxErrors: 2 } });
  await t.notThrowsAsync(
    play(port, `${HELLO}\nC: FOO\nS: 500\nC: MAIL FROM:<\nS: 501\nC: RSET\nS: 250\nC: BAR\nS: 421 4.7.0\nS: (closed)`),
  );
});

test('a client that never comes to the point is sent away', async (t) => {
  const { port } = await openFrontDoor(t);
  await t.notThrowsAsync(play(port, `${HELLO}\n${'C: NOOP\nS: 250\n'.repeat(99)}\nC: RSET\nS: 421 4.7.0\nS: (closed)`));
});

for (const octets of ['MAIL FROM:<a@b.example>\nRCPT TO:<known@example.com>\r\n', 'NOOP\rNOOP\r\n', 'RSET\r\r\n']) {
  test(`a bare line end in ${JSON.stringify(octets)} ends the session`, async (t) => {
    const { port, events } = await openFrontDoor(t);
    await play(port, `${HELLO}\nC! ${JSON.stringify(octets)}\nS: 500 5.5.2\nS: (closed)`);
    t.false(events.some(({ event }) => event.startsWith('recipient')));
  });
}

test('bare line ends in commands are line ends where they are normalized', async (t) => {
  const { port } = await openFrontDoor(t, { settings: { bareNewline: 'normalize' } });
  await t.notThrowsAsync(
    play(port, `${HELLO}\nC! "MAIL FROM:<>\\nRCPT TO:<known@example.com>\\n"\nS: 250 2.1.0\nS: 250 2.1.5\n${QUIT}`),
  );
});

test('a line without an end is not waited for', async (t) => {
  const { port } = await openFrontDoor(t);
  await t.notThrowsAsync(play(port, `${HELLO}\nC! ${JSON.stringify('x'.repeat(40_000))}\nS: 421 4.7.0\nS: (closed)`));
});

test('who talks before the greeting is no mail client', async (t) => {
  const { port } = await openFrontDoor(t);
  await t.notThrowsAsync(play(port, 'C: EHLO client.example\nS: 554 5.5.0\nS: (closed)'));
});

test('who talks too soon is found out however busy the moment is', async (t) => {
  const { port, listener } = await openFrontDoor(t);
  const client = await connectClient(port);
  t.teardown(client.close);
  await until(() => listener.sessions() > 0);
  client.send('EHLO client.example\r\n');
  const untilMs = performance.now() + 200;
  while (performance.now() < untilMs);
  t.regex((await client.line()) ?? '', /^554 5\.5\.0/);
});

test('a browser is sent away at its first line', async (t) => {
  const { port } = await openFrontDoor(t);
  await t.notThrowsAsync(play(port, 'S: 220\nC: POST / HTTP/1.1\nC: Host: x\nS: 421 4.7.0\nS: (closed)'));
});

test('nothing may be pipelined behind EHLO', async (t) => {
  const { port } = await openFrontDoor(t);
  await t.notThrowsAsync(play(port, 'S: 220\nC: EHLO client.example\nC: MAIL FROM:<>\nS: 554 5.5.0\nS: (closed)'));
});

test('nothing may be pipelined behind DATA, refused or not, and none of it is obeyed', async (t) => {
  const relay = fakeRelay();
  const { port, events } = await openFrontDoor(t, { relay });
  await play(port, `${RCPT}\nC: DATA\nC: RCPT TO:<other@example.com>\nC: .\nS: 554 5.5.0\nS: (closed)`);
  await play(port, `${MAIL}\nC: DATA\nC: RCPT TO:<other@example.com>\nC: .\nS: 554 5.5.0\nS: (closed)`);
  t.is(relay.opened, 0);
  t.false(events.some((event) => 'recipient' in event && event.recipient === 'other@example.com'));
});

test('a message that came while its DATA waited for its turn is not obeyed', async (t) => {
  const asked: string[] = [];
  let tell = (): void => {};
  const { port } = await openFrontDoor(t, {
    validate: (request) => {
      asked.push(request.recipient.local);
      const verdict = knows()(request);
      return new Promise((resolve) => {
        tell = () => resolve(verdict);
      });
    },
  });
  const client = await openSession(t, port, 'EHLO c.example');
  client.send('MAIL FROM:<>\r\nRCPT TO:<unknown@example.com>\r\nDATA\r\n');
  await client.reply();
  client.send('RCPT TO:<other@example.com>\r\n.\r\n');
  // The session is read from again only after the verdict: what was sent is in the socket once another session has been served.
  await play(port, `${HELLO}${QUIT}`);
  tell();
  t.regex((await client.line()) ?? '', /^550 5\.1\.1/);
  t.regex((await client.line()) ?? '', /^554 5\.5\.0/);
  t.is(await client.line(), null);
  t.deepEqual(asked, ['unknown']);
});

test('what is no command behind a refused DATA is a message, and ends the session', async (t) => {
  const { port } = await openFrontDoor(t);
  await play(
    port,
    `${MAIL}\nC: DATA\nS: 554 5.5.1\nC: Subject: hello\nC: RCPT TO:<known@example.com>\nS: 554 5.5.0\nS: (closed)`,
  );
  await t.notThrowsAsync(
    play(port, `${MAIL}\nC: DATA\nS: 554 5.5.1\nC: RCPT TO:<known@example.com>\nS: 250\nC: What?\nS: 500\n${QUIT}`),
  );
});

test('so is what is no command behind a DATA that the next hop refused', async (t) => {
  const relay = fakeRelay({ refuse: { code: 451, enhanced: '4.4.1', text: 'Nobody there' } });
  const { port } = await openFrontDoor(t, { relay });
  await t.notThrowsAsync(
    play(port, `${RCPT}\nC: DATA\nS: 451 4.4.1\nC: Subject: hello\nC: MAIL FROM:<>\nS: 554 5.5.0\nS: (closed)`),
  );
});

test('what comes before 354 is not the message', async (t) => {
  let open = (): void => {};
  let asked = (): void => {};
  const opening = new Promise<void>((resolve) => {
    asked = resolve;
  });
  const relay = fakeRelay();
  const { port } = await openFrontDoor(t, {
    relay: {
      async open(envelope, route) {
        await new Promise<void>((resolve) => {
          open = resolve;
          asked();
        });
        return relay.open(envelope, route);
      },
    },
  });
  const client = await openSession(t, port, 'EHLO c.example', 'MAIL FROM:<>', 'RCPT TO:<known@example.com>');
  client.send('DATA\r\n');
  await opening;
  client.send('Subject: early\r\n.\r\n');
  t.regex((await client.line()) ?? '', /^554 5\.5\.0/);
  t.is(await client.line(), null);
  open();
  await until(() => relay.aborted !== 0);
  t.is(relay.aborted, 1);
  t.is(relay.deliveries.length, 0);
});

test('a listener that validates only takes no message', async (t) => {
  const relay = fakeRelay();
  const { port } = await openFrontDoor(t, { relay, settings: { relay: false, postmaster: null } });
  await play(port, `${RCPT}\nC: RCPT TO:<Postmaster>\nS: 250\nC: DATA\nS: 550 5.3.2\nC: RSET\nS: 250\n${QUIT}`);
  t.is(relay.opened, 0);
});

test('what the next hop says against a message is the reply to DATA, and its name is not told', async (t) => {
  const refuse: Reply = { code: 554, enhanced: '5.7.1', text: 'mail7.internal: no' };
  const { port, events } = await openFrontDoor(t, { relay: fakeRelay({ refuse }) });
  const transcript = await play(port, `${RCPT}\nC: DATA\nS: 554 5.7.1\nC: MAIL FROM:<>\nS: 250\n${QUIT}`);
  t.notRegex(transcript, /internal/);
  const refused = events.find(({ event }) => event === 'message.refused');
  t.true(refused?.event === 'message.refused' && refused.reply.includes('mail7.internal'));
});

test('the sender hears yes only after the next hop said it', async (t) => {
  let end = (_reply: Reply): void => {};
  const ended = new Promise<Reply>((resolve) => {
    end = resolve;
  });
  const { port } = await openFrontDoor(t, { relay: fakeRelay({ end: () => ended }) });
  const client = await openSession(t, port, 'EHLO c.example', 'MAIL FROM:<>', 'RCPT TO:<known@example.com>', 'DATA');
  client.send('Subject: x\r\n.\r\nMAIL FROM:<>\r\n');
  let told = false;
  const reply = client.line().then((line) => {
    told = true;
    return line;
  });
  await new Promise((resolve) => void setTimeout(resolve, 30));
  t.false(told);
  end({ code: 451, enhanced: '4.3.0', text: 'mail7.internal: disk' });
  t.regex((await reply) ?? '', /^451 4\.3\.0 [^7]*\(\w+-1\)$/);
  t.regex((await client.line()) ?? '', /^250 2\.1\.0/);
});

test('a message with a bare line end is refused after its end, and nothing of it is delivered', async (t) => {
  const relay = fakeRelay();
  const { port } = await openFrontDoor(t, { relay });
  await play(port, `${RCPT}\nC: DATA\nS: 354\nC! "a\\nb\\r\\n.\\r\\n"\nS: 550 5.5.2\nC: NOOP\nS: 250\n${QUIT}`);
  t.deepEqual([relay.deliveries.length, relay.aborted], [0, 1]);
});

test('a message that is too big is refused after its end, one without end is not waited for', async (t) => {
  const relay = fakeRelay();
  const { port } = await openFrontDoor(t, { relay, limits: { messageSize: 100 } });
  const line = `C: ${'x'.repeat(98)}`;
  await play(port, `${RCPT}\nC: DATA\nS: 354\n${line}\nC: .\nS: 250\n${QUIT}`);
  await play(port, `${RCPT}\nC: DATA\nS: 354\n${line}\nC: x\nC: .\nS: 552 5.3.4\n${QUIT}`);
  await play(port, `${RCPT}\nC: DATA\nS: 354\n${`${line}\n`.repeat(700)}\nS: 552 5.3.4\nS: (closed)`);
  t.deepEqual([relay.deliveries.length, relay.aborted], [1, 2]);
});

test('a message of which every recipient is thrown away is taken and delivered nowhere', async (t) => {
  const relay = fakeRelay();
  const { port, events } = await openFrontDoor(t, { relay, locate: () => ({ kind: 'discard' }) });
  await play(port, `${RCPT}\nC: DATA\nS: 354\nC: x\nC: .\nS: 250 2.0.0\n${QUIT}`);
  t.is(relay.opened, 0);
  t.true(events.some(({ event }) => event === 'message.discarded'));
});

test('recipients of another destination are for the next transaction', async (t) => {
  const relay = fakeRelay();
  const { port } = await openFrontDoor(t, {
    relay,
    validate: knows('one', 'two'),
    locate: ({ recipient }) => deliveredTo(recipient.local, recipient),
  });
  await play(
    port,
    `${HELLO}
     C: MAIL FROM:<>
     C: RCPT TO:<one@example.com>
     C: RCPT TO:<two@example.com>
     C: DATA
     S: 250
     S: 250
     S: 452 4.5.3
     S: 354
     C: x
     C: .
     C: MAIL FROM:<>
     C: RCPT TO:<two@example.com>
     C: DATA
     S: 250 2.0.0
     S: 250
     S: 250
     S: 354
     C: y
     C: .
     S: 250 2.0.0
     ${QUIT}`,
  );
  t.deepEqual(
    relay.deliveries.map(({ recipients }) => recipients),
    [['one@example.com'], ['two@example.com']],
  );
});

test('a client that goes in the middle of its message leaves nothing behind', async (t) => {
  const relay = fakeRelay();
  const { port, listener, events } = await openFrontDoor(t, { relay });
  await play(port, `${RCPT}\nC: DATA\nS: 354\nC: Subject: half\nC: (closed)`);
  while (!events.some(({ event }) => event === 'session.closed'))
    await new Promise((resolve) => void setImmediate(resolve));
  t.is(listener.sessions(), 0);
  t.deepEqual([relay.deliveries.length, relay.aborted], [0, 1]);
});

test('a client that goes while it waits leaves the question to be answered for the cache', async (t) => {
  let tell = (): void => {};
  const { port, listener, events } = await openFrontDoor(t, {
    validate: () =>
      new Promise<Verdict>((resolve) => {
        tell = () => resolve({ kind: 'valid', source: 'server', server: '' });
      }),
  });
  await play(port, `${MAIL}\nC: RCPT TO:<known@example.com>\nC: (closed)`);
  while (!events.some(({ event }) => event === 'session.closed'))
    await new Promise((resolve) => void setImmediate(resolve));
  tell();
  await new Promise((resolve) => void setImmediate(resolve));
  t.is(listener.sessions(), 0);
  t.false(events.some(({ event }) => event.startsWith('recipient')));
});

test('a half line before the client goes is no command', async (t) => {
  const { port, events } = await openFrontDoor(t);
  const client = await connectClient(port);
  await client.reply();
  client.socket.end('EHLO client.example');
  while (!events.some(({ event }) => event === 'session.closed'))
    await new Promise((resolve) => void setImmediate(resolve));
  t.is(await client.line(), null);
});

test('a client that trickles is cut at the deadline of the command', async (t) => {
  const { port } = await openFrontDoor(t, { limits: { commandTimeoutMs: 150 } });
  const client = await openSession(t, port);
  const startMs = performance.now();
  const trickle = setInterval(() => client.socket.write('x'), 20);
  t.teardown(() => clearInterval(trickle));
  t.regex((await client.line()) ?? '', /^421 4\.4\.2/);
  t.true(performance.now() - startMs < 5_000);
});

test('a client that says nothing is cut', async (t) => {
  const { port } = await openFrontDoor(t, { limits: { idleTimeoutMs: 50 } });
  await t.notThrowsAsync(play(port, 'S: 220\nS: 421 4.4.2\nS: (closed)'));
});

test('a client that waits for us is not idle', async (t) => {
  const { port } = await openFrontDoor(t, {
    limits: { idleTimeoutMs: 1_000 },
    validate: () =>
      new Promise<Verdict>((resolve) => {
        setTimeout(() => resolve({ kind: 'valid', source: 'server', server: '' }), 1_500);
      }),
  });
  await t.notThrowsAsync(play(port, `${MAIL}\nC: RCPT TO:<known@example.com>\nS: 250 2.1.5`));
});

test('a message that trickles is cut, and nothing of it is delivered', async (t) => {
  const relay = fakeRelay();
  const { port } = await openFrontDoor(t, { relay, limits: { commandTimeoutMs: 150, minDataRate: 500 } });
  const client = await openSession(t, port, 'EHLO c.example', 'MAIL FROM:<>', 'RCPT TO:<known@example.com>', 'DATA');
  const trickle = setInterval(() => client.socket.write('x'), 20);
  t.teardown(() => clearInterval(trickle));
  t.regex((await client.line()) ?? '', /^421 4\.4\.2/);
  t.is(relay.aborted, 1);
});

test('a client that reads nothing is not answered without end', async (t) => {
  const { port, listener } = await openFrontDoor(t, { limits: { commandTimeoutMs: 100 } });
  const client = await openSession(t, port, 'EHLO client.example', 'MAIL FROM:<>');
  client.socket.pause();
  const flood = Buffer.from('RCPT TO:<nobody@example.com>\r\n'.repeat(2_000));
  const pour = (): void => {
    while (!client.socket.destroyed && client.socket.write(flood));
  };
  client.socket.on('drain', pour);
  client.socket.on('error', () => {});
  pour();
  await until(() => listener.sessions() <= 0);
  t.is(listener.sessions(), 0);
});

test('monitor mode accepts, and tells the log what it would have done', async (t) => {
  const { port, events } = await openFrontDoor(t, { actions: { mode: 'monitor' } });
  await play(port, `${MAIL}\nC: RCPT TO:<nobody@example.com>\nS: 250 2.1.5\n${QUIT}`);
  const accepted = events.find(({ event }) => event === 'recipient.accepted');
  t.like(accepted, { kind: 'unknown', monitor: true, source: 'server', recipient: 'nobody@example.com', ref: 'ref1' });
});

test('a recipient that is no address is a rejection too, in characters that harm nobody', async (t) => {
  const { port, events } = await openFrontDoor(t);
  const wrong = `C: RCPT TO:<no\x7fone@@example.com>\nS: 501 5.1.3\nC: RCPT TO:<a@example.com> NOTIFY=NEVER\nS: 555 5.5.4`;
  await play(port, `${MAIL}\n${wrong}\nC: RCPT TO: nobody\nS: 501 5.5.4\n${QUIT}`);
  const told = events.filter((event) => event.event === 'recipient.rejected');
  const about = { kind: 'unasked', client: '127.0.0.1', profile: '' } as const;
  t.like(told[0], {
    ...about,
    recipient: 'no?one@@example.com',
    code: 501,
    reason: 'syntax',
    ref: told[0]?.session ?? '',
  });
  t.like(told[1], { ...about, recipient: 'a@example.com', code: 555, reason: 'parameter' });
  t.like(told[2], { ...about, recipient: 'TO: nobody', code: 501, reason: 'syntax' });
});

test('the events of recipients come in the order of the replies, with their codes', async (t) => {
  const { port, events } = await openFrontDoor(t, {
    validate: async (request) => knows('known')(request),
    limits: { syntaxErrors: 0 },
  });
  const pipelined = 'C: RCPT TO:<known@example.com>\nC: RCPT TO:<no one@example.com>\nC: RCPT TO: nobody';
  await play(port, `${MAIL}\n${pipelined}\nS: 250 2.1.5\nS: 421 4.7.0\nS: (closed)`);
  const told = events.flatMap((event) => (event.event.startsWith('recipient.') && 'code' in event ? [event.code] : []));
  t.deepEqual(told, [250, 421]);
});

test('the events of recipients say what was known, of whom and how soon', async (t) => {
  const { port, events } = await openFrontDoor(t, {
    validate: async (request) => knows('known')(request),
  });
  const others = 'C: RCPT TO:<nobody@example.com>\nS: 550 5.1.1\nC: RCPT TO:<someone@elsewhere.example>\nS: 550 5.7.1';
  await play(port, `${MAIL}\nC: RCPT TO:<known@example.com>\nS: 250 2.1.5\n${others}\n${QUIT}`);
  const told = events.filter(({ event }) => event.startsWith('recipient.'));
  const asked = { profile: 'corp', source: 'server', server: 'mail.internal:25' };
  t.like(told[0], { event: 'recipient.accepted', kind: 'valid', code: 250, ...asked });
  t.like(told[1], { event: 'recipient.rejected', kind: 'unknown', code: 550, ...asked });
  t.like(told[2], { event: 'recipient.rejected', kind: 'unasked', profile: '', source: '', server: '', tookMs: 0 });
  for (const event of told) t.true('tookMs' in event && event.tookMs >= 0 && event.tookMs < 10_000);
});
