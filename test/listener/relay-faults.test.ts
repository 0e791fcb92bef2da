import test from 'ava';
import { type FakeOptions, type Move, NOBODYS_ADDRESS } from '../support/fake-server.ts';
import { allClosed, envelopeTo, gone, MESSAGE, send, serverAt, startRelay } from '../support/relays.ts';

type Fault = Readonly<{
  title: string;
  on: NonNullable<FakeOptions['on']>;
  hears: string;
  /** Where the next hop had all of the message before it went wrong: a second copy may come, none is lost. */
  taken?: true;
}>;

const silent: Move = { kind: 'silent' };
const close: Move = { kind: 'close' };
const reset: Move = { kind: 'reset' };
const FAULTS: readonly Fault[] = [
  { title: 'is silent instead of greeting', on: { connect: () => silent }, hears: 'DATA 451 4.4.2' },
  { title: 'closes instead of greeting', on: { connect: () => close }, hears: 'DATA 451 4.4.2' },
  { title: 'greets with 4xx', on: { connect: () => '421 4.3.2 Busy' }, hears: 'DATA 451 4.3.2' },
  { title: 'greets with 5xx', on: { connect: () => '554 5.3.2 No' }, hears: 'DATA 451 4.5.0' },
  { title: 'greets with what is no reply', on: { connect: () => ({ raw: 'SSH-2.0\r\n' }) }, hears: 'DATA 451 4.5.0' },
  { title: 'is silent after EHLO', on: { EHLO: () => silent }, hears: 'DATA 451 4.4.2' },
  { title: 'closes after EHLO', on: { EHLO: () => close }, hears: 'DATA 451 4.4.2' },
  { title: 'refuses EHLO for now', on: { EHLO: () => '450 4.3.2 No' }, hears: 'DATA 450 4.3.2' },
  { title: 'refuses EHLO and HELO', on: { EHLO: () => '550 No', HELO: () => '550 No' }, hears: 'DATA 451 4.5.0' },
  { title: 'is silent after MAIL', on: { MAIL: () => silent }, hears: 'DATA 451 4.4.2' },
  { title: 'closes after MAIL', on: { MAIL: () => close }, hears: 'DATA 451 4.4.2' },
  { title: 'refuses MAIL for now', on: { MAIL: () => '451 4.7.1 Later' }, hears: 'DATA 451 4.7.1' },
  { title: 'wants TLS before MAIL', on: { MAIL: () => '530 5.7.0 STARTTLS first' }, hears: 'DATA 451 4.5.0' },
  { title: 'wants a login before MAIL', on: { MAIL: () => '530 5.7.57 Who?' }, hears: 'DATA 451 4.5.0' },
  { title: 'refuses MAIL', on: { MAIL: () => '550 5.7.1 No' }, hears: 'DATA 550 5.7.1' },
  {
    title: 'closes with a 421 to MAIL',
    on: { MAIL: () => ({ reply: '421 4.4.5 Bye', close: true }) },
    hears: 'DATA 451 4.4.5',
  },
  { title: 'is silent after RCPT', on: { RCPT: () => silent }, hears: 'DATA 451 4.4.2' },
  { title: 'closes after RCPT', on: { RCPT: () => close }, hears: 'DATA 451 4.4.2' },
  { title: 'refuses RCPT for now', on: { RCPT: () => '450 4.2.1 Later' }, hears: 'DATA 450 4.2.1' },
  { title: 'refuses RCPT', on: { RCPT: () => '553 5.1.8 No' }, hears: 'DATA 553 5.1.8' },
  { title: 'answers RCPT with 3xx', on: { RCPT: () => '354 Go on' }, hears: 'DATA 451 4.5.0' },
  {
    title: 'closes with a 421 to RCPT',
    on: { RCPT: () => ({ reply: '421 Bye', close: true }) },
    hears: 'DATA 451 null',
  },
  { title: 'is silent after DATA', on: { DATA: () => silent }, hears: 'DATA 451 4.4.2' },
  { title: 'closes after DATA', on: { DATA: () => close }, hears: 'DATA 451 4.4.2' },
  { title: 'refuses DATA for now', on: { DATA: () => '451 4.3.1 Full' }, hears: 'DATA 451 4.3.1' },
  { title: 'refuses DATA', on: { DATA: () => '554 5.7.1 No' }, hears: 'DATA 554 5.7.1' },
  { title: 'answers DATA with 250', on: { DATA: () => '250 Ok' }, hears: 'DATA 451 4.5.0' },
  { title: 'is silent after the message', on: { DOT: () => silent }, hears: 'end 451 4.4.2', taken: true },
  { title: 'closes after the message', on: { DOT: () => close }, hears: 'end 451 4.4.2', taken: true },
  { title: 'resets after the message', on: { DOT: () => reset }, hears: 'end 451 4.4.2', taken: true },
  { title: 'refuses the message for now', on: { DOT: () => '452 4.3.1 Full' }, hears: 'end 452 4.3.1', taken: true },
  { title: 'refuses the message', on: { DOT: () => '554 5.7.1 Spam' }, hears: 'end 554 5.7.1', taken: true },
  { title: 'answers the message with 354', on: { DOT: () => '354 More' }, hears: 'end 451 4.5.0', taken: true },
  { title: 'answers the message with what is no reply', on: { DOT: () => 'yes' }, hears: 'end 451 4.5.0', taken: true },
  {
    title: 'closes with a 421 after the message',
    on: { DOT: () => ({ reply: '421 Bye', close: true }) },
    hears: 'end 451 null',
    taken: true,
  },
];

for (const capabilities of [['PIPELINING'], []]) {
  for (const { title, on, hears, taken } of FAULTS) {
    const how = capabilities.length > 0 ? 'pipelining' : 'no pipelining';
    // Those that wait for a deadline run alone, so that nobody else's work can use it up.
    const waits = title.startsWith('is silent');
    (waits ? test.serial : test)(`the next hop ${title}: the sender hears ${hears} (${how})`, async (t) => {
      const settings = waits ? { commandTimeoutMs: 250, endOfDataTimeoutMs: 250 } : {};
      const bench = await startRelay(t, [{ on, capabilities }], { settings });
      const { at, code, enhanced, text } = await send(bench, envelopeTo());
      t.is(`${at} ${code} ${enhanced}`, hears);
      t.notRegex(text, /mx\.internal|127\.0\.0\.1/);
      await allClosed(bench);
      t.is(bench.servers[0]?.messages.length, taken ? 1 : 0);
      t.deepEqual(bench.learned, []);
      t.is(bench.holds.size(), 0);
    });
  }
}

test('the next hop cannot be reached: the sender hears DATA 451 4.4.1', async (t) => {
  const bench = await startRelay(t, []);
  const route = { ...bench.route, tiers: [[serverAt(2525, NOBODYS_ADDRESS)]] };
  const { at, code, enhanced } = await send({ ...bench, route });
  t.deepEqual([at, code, enhanced], ['DATA', 451, '4.4.1']);
  t.is(bench.relay.connections(), 0);
});

test('the next hop resets instead of greeting: the sender hears that it comes to nothing now', async (t) => {
  const bench = await startRelay(t, [{ on: { connect: () => reset } }]);
  const { at, code, enhanced } = await send(bench);
  t.deepEqual([at, code], ['DATA', 451]);
  // The reset may come before the connection is known to be open.
  t.true(enhanced === '4.4.1' || enhanced === '4.4.2');
});

for (const how of ['end', 'resetAndDestroy'] as const) {
  test(`the next hop goes away with ${how} in the middle of the message: it has none, and the sender hears end 451 4.4.2`, async (t) => {
    const bench = await startRelay(t, [{}]);
    const opened = await bench.relay.open(envelopeTo(), bench.route);
    const [session] = bench.servers[0]?.sessions ?? [];
    if (opened.kind !== 'open' || session === undefined) return t.fail();
    session.socket.once('data', () => session.socket[how]());
    void opened.delivery.write(Buffer.from('half a line'));
    await gone(session.socket);
    await opened.delivery.write(Buffer.from(MESSAGE));
    const { code, enhanced } = await opened.delivery.finish();
    t.deepEqual([code, enhanced], [451, '4.4.2']);
    t.is(bench.servers[0]?.messages.length, 0);
    t.deepEqual(bench.learned, []);
    await allClosed(bench);
  });
}
