import { join } from 'node:path';
import { fromCanonical } from '@callahead/core';
import test from 'ava';
import { temporaryFolder } from '../support/debian.ts';
import { allClosed, envelopeTo, gone, HOSTNAME, MESSAGE, send, serverAt, startRelay } from '../support/relays.ts';
import { recipientAt } from '../support/routes.ts';
import { until } from '../support/until.ts';

const TWO = ['u@x.example', 'v@x.example'] as const;

test('a message arrives as it was written, and its sender hears yes after the next hop said so', async (t) => {
  const bench = await startRelay(t, [{}]);
  const { code } = await send(bench);
  t.is(code, 250);
  const [message] = bench.servers[0]?.messages ?? [];
  t.is(message?.data.toString(), MESSAGE);
  t.is(message?.mailFrom, 's@y.example');
  t.deepEqual(message?.recipients, ['u@x.example']);
  await allClosed(bench);
  t.is(bench.servers[0]?.sessions[0]?.lines.at(-1), 'QUIT');
});

test('an empty message and one without a last line end are ended right', async (t) => {
  const bench = await startRelay(t, [{}]);
  for (const content of ['', 'no line end']) {
    const opened = await bench.relay.open(envelopeTo(), bench.route);
    if (opened.kind !== 'open') return t.fail();
    for (const octet of content) await opened.delivery.write(Buffer.from(octet));
    t.is((await opened.delivery.finish()).code, 250);
  }
  t.deepEqual(
    bench.servers[0]?.messages.map((message) => message.data.toString()),
    ['', 'no line end\r\n'],
  );
});

test('a delivery that was taken says so about every recipient, with the name of the server', async (t) => {
  const bench = await startRelay(t, [{ users: TWO }]);
  await send(bench, envelopeTo(...TWO));
  const server = `mx.internal:${bench.servers[0]?.port}`;
  t.deepEqual(
    bench.learned,
    TWO.map((recipient) => ({ recipient, verdict: { kind: 'valid', source: 'delivery', server } })),
  );
});

test('a recipient that was given twice is told to the next hop once', async (t) => {
  const bench = await startRelay(t, [{}]);
  await send(bench, envelopeTo('u@x.example', 'u@x.example'));
  t.deepEqual(bench.servers[0]?.asked, ['u@x.example']);
});

test('the envelope goes in one write where the server offers it, and DATA only after its answers', async (t) => {
  const seen: string[] = [];
  const bench = await startRelay(t, [
    {
      users: TWO,
      on: {
        MAIL: async ({ session }) => {
          await new Promise((resolve) => setImmediate(resolve));
          seen.push(`${session.socket.bytesRead}`);
          return '250 Ok';
        },
        RCPT: ({ session }) => {
          seen.push(`${session.socket.bytesRead}`);
          return '250 Ok';
        },
      },
    },
  ]);
  await send(bench, envelopeTo(...TWO));
  t.is(new Set(seen).size, 1, 'all of it was there when MAIL was read, and nothing came while it was answered');
});

test('without PIPELINING the next command waits for the answer', async (t) => {
  const bench = await startRelay(t, [{ users: TWO, capabilities: ['SIZE'] }]);
  t.is((await send(bench, envelopeTo(...TWO))).code, 250);
});

test('MAIL tells what the message uses', async (t) => {
  const bench = await startRelay(t, [{}]);
  await send(bench, { ...envelopeTo(), sender: '', body: '8BITMIME', smtpUtf8: true, size: 1234 });
  t.is(bench.servers[0]?.sessions[0]?.lines[1], 'MAIL FROM:<> SIZE=1234 BODY=8BITMIME SMTPUTF8');
});

test('an internationalized address that a directory put in the place of another needs SMTPUTF8, whatever the sender said', async (t) => {
  const envelope = { ...envelopeTo(), recipients: [fromCanonical('jürgen@x.example')] };
  const bench = await startRelay(t, [{}]);
  await send(bench, envelope);
  t.is(bench.servers[0]?.sessions[0]?.lines[1], 'MAIL FROM:<s@y.example> SMTPUTF8');
  const { code, enhanced } = await send(await startRelay(t, [{ capabilities: [] }]), envelope);
  t.is(`${code} ${enhanced}`, '553 5.6.7');
});

test('a next hop without what the message uses is told nothing of it', async (t) => {
  const bench = await startRelay(t, [{ capabilities: ['SIZE 100'] }]);
  const heard = [
    await send(bench, { ...envelopeTo(), body: '8BITMIME' }),
    await send(bench, { ...envelopeTo(), smtpUtf8: true }),
    await send(bench, { ...envelopeTo(), size: 101 }),
    await send(bench, { ...envelopeTo(), size: 100 }),
  ];
  t.deepEqual(
    heard.map(({ at, code, enhanced }) => `${at} ${code} ${enhanced}`),
    ['DATA 554 5.6.3', 'DATA 553 5.6.7', 'DATA 552 5.3.4', 'end 250 2.0.0'],
  );
  t.is(bench.servers[0]?.messages.length, 1);
});

test('a server that knows no EHLO is greeted with HELO, unless the message needs an extension', async (t) => {
  const bench = await startRelay(t, [{ on: { EHLO: () => '500 What?' } }]);
  t.is((await send(bench)).code, 250);
  const { at, code, enhanced } = await send(bench, { ...envelopeTo(), smtpUtf8: true });
  t.deepEqual([at, code, enhanced], ['DATA', 451, '4.5.0']);
});

test('a server that greets with a further name of ours is us', async (t) => {
  const loop = await startRelay(t, [{ name: 'Sibling.gateway.example.' }], {
    relay: { selfNames: ['sibling.gateway.example'] },
  });
  t.like(await send(loop), { code: 451, enhanced: '4.4.6' });
});

test('a server that greets with our own name is us', async (t) => {
  const loop = await startRelay(t, [{ name: HOSTNAME.toUpperCase() }]);
  const { at, code, enhanced } = await send(loop);
  t.deepEqual([at, code, enhanced], ['DATA', 451, '4.4.6']);
  t.is(loop.servers[0]?.sessions[0]?.lines.length, 0);

  const backup = await startRelay(t, [{ name: HOSTNAME }, {}]);
  t.is((await send(backup)).code, 250);
});

test('the next server takes what the one before did not', async (t) => {
  const bench = await startRelay(t, [
    { on: { connect: () => '554 No' } },
    { on: { EHLO: () => ({ kind: 'close' }) } },
    { on: { MAIL: () => '451 4.3.0 Later' } },
    {},
  ]);
  t.is((await send(bench)).code, 250);
  t.is(bench.servers[3]?.messages.length, 1);
  await allClosed(bench);
});

test('of several servers none of which takes it, one that may later counts most', async (t) => {
  const bench = await startRelay(t, [
    { on: { MAIL: () => '550 5.7.1 No' } },
    { on: { MAIL: () => '450 4.7.1 Later' } },
  ]);
  const { code, enhanced } = await send(bench);
  t.deepEqual([code, enhanced], [450, '4.7.1']);
});

test('servers of one tier take turns', async (t) => {
  const bench = await startRelay(t, [[{}, {}]]);
  for (let i = 0; i < 4; i++) await send(bench);
  t.deepEqual(
    bench.servers.map((server) => server.messages.length),
    [2, 2],
  );
});

test('MX hosts of equal preference are shuffled', async (t) => {
  const drawn = [0.9, 0.1];
  const bench = await startRelay(t, [[{}, {}]], { within: 'shuffle', relay: { random: () => drawn.shift() ?? 0 } });
  await send(bench);
  t.deepEqual(
    bench.servers.map((server) => server.messages.length),
    [0, 1],
  );
});

test('a route without any server cannot be reached', async (t) => {
  const { relay, route } = await startRelay(t, []);
  const opened = await relay.open(envelopeTo(), { ...route, tiers: [[]] });
  t.like(opened, { kind: 'refused', server: '', reply: { code: 451, enhanced: '4.4.1' } });
});

test('all addresses of a server are tried', async (t) => {
  const bench = await startRelay(t, [{}]);
  const port = bench.servers[0]?.port ?? 0;
  const targets = ['127.0.0.9', '127.0.0.1'].map((address) => ({ name: 'mx.internal', address }));
  const route = { ...bench.route, tiers: [[{ ...serverAt(port), targets }]] } as typeof bench.route;
  t.is((await send({ ...bench, route })).code, 250);
});

test('all recipients refused: the sender hears the first one', async (t) => {
  const bench = await startRelay(t, [
    { on: { RCPT: ({ address }) => (address === 'u@x.example' ? '552 5.2.2 Full' : '550 5.7.1 No') } },
  ]);
  const { at, code, enhanced } = await send(bench, envelopeTo(...TWO));
  t.deepEqual([at, code, enhanced], ['DATA', 552, '5.2.2']);
  t.is(bench.holds.size(), 0);
});

test('all recipients refused: final only if it is for all of them', async (t) => {
  const bench = await startRelay(t, [
    { on: { RCPT: ({ address }) => (address === 'u@x.example' ? '550 5.7.1 No' : '450 4.2.1 Later') } },
  ]);
  const { code, enhanced } = await send(bench, envelopeTo(...TWO));
  t.deepEqual([code, enhanced], [450, '4.2.1']);
});

test('some recipients refused: no data is sent, and the next attempt is answered one by one', async (t) => {
  const bench = await startRelay(t, [
    { on: { RCPT: ({ address }) => (address === 'u@x.example' ? '250 Ok' : '521 5.7.1 mx7.internal says no') } },
  ]);
  const { at, code, enhanced } = await send(bench, envelopeTo(...TWO));
  t.deepEqual([at, code, enhanced], ['DATA', 451, '4.3.0']);
  t.false(bench.servers[0]?.sessions[0]?.lines.includes('DATA'));
  t.deepEqual(bench.holds.take('s@y.example', 'v@x.example'), {
    code: 550,
    enhanced: '5.7.1',
    text: 'This recipient does not take the message',
  });
  t.is(bench.holds.take('s@y.example', 'u@x.example'), null);
  t.deepEqual(bench.learned, []);
  await allClosed(bench);
});

test('a recipient that the next hop does not know is known to be unknown', async (t) => {
  for (const reply of ['550 5.1.1 Who?', '550 Who?', '556 5.1.10 Null MX']) {
    const bench = await startRelay(t, [
      { on: { RCPT: ({ address }) => (address === 'u@x.example' ? '250 Ok' : reply) } },
    ]);
    t.is((await send(bench, envelopeTo(...TWO))).code, 451);
    t.like(bench.learned, [{ recipient: 'v@x.example', verdict: { kind: 'unknown', source: 'delivery' } }]);
    // One that is never called ahead has no cached verdict: only the hold tells its sender.
    t.is(bench.holds.take('s@y.example', 'v@x.example')?.code, Number(reply.slice(0, 3)));
  }
});

test('a temporary refusal of some recipients is held as one', async (t) => {
  const bench = await startRelay(t, [
    { on: { RCPT: ({ address }) => (address === 'u@x.example' ? '250 Ok' : '452 4.5.3 Enough') } },
  ]);
  await send(bench, envelopeTo(...TWO));
  t.like(bench.holds.take('s@y.example', 'v@x.example'), { code: 452, enhanced: '4.5.3' });
});

test('an aborted message is never ended at the next hop', async (t) => {
  const bench = await startRelay(t, [{}]);
  const opened = await bench.relay.open(envelopeTo(), bench.route);
  if (opened.kind !== 'open') return t.fail();
  await opened.delivery.write(Buffer.from(MESSAGE));
  opened.delivery.abort();
  t.is((await opened.delivery.finish()).code, 451);
  await allClosed(bench);
  t.is(bench.servers[0]?.messages.length, 0);
});

test.serial(
  'a next hop that stops reading holds its sender up for the time of a command, then the message is off',
  async (t) => {
    const stop = { on: { DATA: pauseAndGoAhead }, users: ['u@x.example'] };
    const bench = await startRelay(t, [stop], { settings: { commandTimeoutMs: 300 } });
    const opened = await bench.relay.open(envelopeTo(), bench.route);
    if (opened.kind !== 'open') return t.fail();
    const line = Buffer.from(`${'x'.repeat(65_534)}\r\n`);
    // What the kernel takes comes first; once it takes no more the wait is bounded, and the connection is given up before anybody ends the message.
    for (let i = 0; i < 1000; i++) {
      await opened.delivery.write(line);
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => bench.relay.connections() === 0);
    const { code, enhanced } = await opened.delivery.finish();
    t.deepEqual([code, enhanced], [451, '4.4.2']);
    await allClosed(bench);
    t.is(bench.servers[0]?.messages.length, 0);
  },
);

test('an answer before the end of data breaks the delivery, and is what the sender hears if it is a no', async (t) => {
  const cases = [
    ['552 5.2.3 Enough', 552],
    ['421 4.3.2 Going down', 451],
    ['250 Fine already', 451],
  ] as const;
  for (const [reply, expected] of cases) {
    const bench = await startRelay(t, [{}]);
    const opened = await bench.relay.open(envelopeTo(), bench.route);
    if (opened.kind !== 'open') return t.fail();
    const [session] = bench.servers[0]?.sessions ?? [];
    if (session === undefined) return t.fail();
    session.socket.write(`${reply}\r\n`);
    await gone(session.socket);
    await opened.delivery.write(Buffer.from(MESSAGE));
    t.is((await opened.delivery.finish()).code, expected);
    t.is(bench.servers[0]?.messages.length, 0);
    t.deepEqual(bench.learned, []);
  }
});

test('a yes that comes after the deadline is no yes', async (t) => {
  const bench = await startRelay(t, [
    {
      on: {
        DOT: () => {
          bench.skip(3_600_000);
          return '250 2.0.0 Queued';
        },
      },
    },
  ]);
  const { at, code, enhanced } = await send(bench);
  t.deepEqual([at, code, enhanced], ['end', 451, '4.4.2']);
  t.deepEqual(bench.learned, []);
  await allClosed(bench);
});

test('a sender is answered before the next hop has answered QUIT', async (t) => {
  const bench = await startRelay(t, [{ on: { QUIT: () => ({ kind: 'silent' }) } }]);
  t.is((await send(bench)).code, 250);
  t.is(bench.relay.connections(), 1);
});

test('closing the relay ends what is under way', async (t) => {
  const bench = await startRelay(t, [{ on: { MAIL: () => ({ kind: 'silent' }) } }]);
  const opening = bench.relay.open(envelopeTo(), bench.route);
  await until(() => bench.servers[0]?.sessions[0]?.mailFrom === 's@y.example');
  await bench.relay.close();
  t.is((await opening).kind, 'refused');
  t.is(bench.relay.connections(), 0);
  t.is((await send(bench)).code, 451);
});

test('a recipient is told in its canonical form', async (t) => {
  const bench = await startRelay(t, [{ users: ['"a b"@x.example'] }]);
  t.is((await send(bench, { ...envelopeTo(), recipients: [recipientAt('"a b"@x.example')] })).code, 250);
});

function pauseAndGoAhead({ session }: { session: { socket: { pause(): unknown } } }): string {
  session.socket.pause();
  return '354 Go ahead';
}

test('by LMTP a message is announced with LHLO, and its one recipient has the one answer to it', async (t) => {
  const bench = await startRelay(t, [{ protocol: 'lmtp', name: HOSTNAME }], { protocol: 'lmtp' });
  t.is((await send(bench)).code, 250);
  const [server] = bench.servers;
  t.deepEqual(server?.messages, [{ mailFrom: 's@y.example', recipients: ['u@x.example'], data: Buffer.from(MESSAGE) }]);
  t.is(server?.sessions[0]?.lines[0], `LHLO ${HOSTNAME}`);
  t.like(bench.learned, [{ recipient: 'u@x.example', verdict: { kind: 'valid' } }]);
});

test('by LMTP the mailbox may refuse the message at its end, and a server that knows no LHLO gets nothing', async (t) => {
  const full = { DOT: () => '452 4.2.2 Mailbox full' };
  const bench = await startRelay(t, [{ protocol: 'lmtp', on: full }], { protocol: 'lmtp' });
  t.like(await send(bench), { at: 'end', code: 452, enhanced: '4.2.2' });
  const smtp = await startRelay(t, [{}], { protocol: 'lmtp' });
  t.like(await send(smtp), { at: 'DATA', code: 451, enhanced: '4.5.0' });
  t.deepEqual(smtp.servers[0]?.sessions[0]?.lines, [`LHLO ${HOSTNAME}`]);
});

test('a next hop behind a unix socket takes a message', async (t) => {
  const folder = await temporaryFolder('relay');
  t.teardown(folder.remove);
  const path = join(folder.path, 'lmtp');
  const bench = await startRelay(t, [{ protocol: 'lmtp', path }], { protocol: 'lmtp' });
  const route = { ...bench.route, tiers: [[{ kind: 'unix', path }]] } as typeof bench.route;
  t.is((await send({ ...bench, route })).code, 250);
  t.is(bench.servers[0]?.messages.length, 1);
});

test('the next hop sees the local address of the deliveries', async (t) => {
  const bench = await startRelay(t, [{}], { settings: { interface: { kind: 'address', address: '127.0.0.2' } } });
  t.is((await send(bench)).code, 250);
  t.deepEqual(bench.servers[0]?.callers, ['127.0.0.2']);
});
