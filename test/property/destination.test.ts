import test from 'ava';
import fc from 'fast-check';
import { routeTo, serverAt, startFakeMain } from '../support/fake-main.ts';
import { type FakeSession, type Move, startFakeServer } from '../support/fake-server.ts';

const faults = ['421', 'close', 'reset', '452', '5xx and close', 'temporary', 'protocol', 'garbage', 'late'] as const;
type Fault = (typeof faults)[number] | 'none';

const cases = fc.record({
  permits: fc.integer({ min: 1, max: 3 }),
  maxRecipientsPerSession: fc.integer({ min: 1, max: 12 }),
  maxRecipientsPerTransaction: fc.integer({ min: 1, max: 5 }),
  maxRejectionsPerSession: fc.integer({ min: 1, max: 10 }),
  onePerTransaction: fc.boolean(),
  pipelining: fc.boolean(),
  /** How many asks each packet has, and to which of the two destinations it goes. */
  packets: fc.array(fc.record({ asks: fc.integer({ min: 1, max: 12 }), destination: fc.integer({ min: 1, max: 2 }) }), {
    minLength: 1,
    maxLength: 8,
  }),
  /** One for each command the server sees, again from the start when they are used up. */
  plan: fc.array(fc.oneof({ weight: 6, arbitrary: fc.constant<Fault>('none') }, fc.constantFrom<Fault>(...faults)), {
    minLength: 5,
    maxLength: 40,
  }),
});

test('whatever the server does: one verdict an ask, never a connection or a recipient too many, no valid one unknown', async (t) => {
  await fc.assert(
    fc.asyncProperty(cases, async ({ permits, onePerTransaction, pipelining, packets, plan, ...limits }) => {
      let seen = 0;
      const next = (): Fault => plan[seen++ % plan.length] ?? 'none';
      const server = await startFakeServer({
        capabilities: pipelining ? ['PIPELINING'] : [],
        on: {
          connect: () => faulty(next(), '220 fake.example ESMTP'),
          MAIL: () => faulty(next(), '250 2.1.0 Ok'),
          RSET: () => faulty(next(), '250 2.0.0 Ok'),
          RCPT: ({ address, session }) => faulty(next(), answer(address, session)),
        },
      });
      function answer(address: string, session: FakeSession): string {
        if (onePerTransaction && session.accepted.length > 0) return '550 5.5.3 One is enough';
        return address.startsWith('user') ? '250 2.1.5 Ok' : '550 5.1.1 No such user';
      }
      const main = startFakeMain({ permits });
      const route = routeTo([[serverAt(server.port)]], { ...limits, maxConnectionsPerServer: permits });
      main.know(route, 1);
      main.know({ ...route, key: 'another' }, 2);
      const answers = await Promise.all(
        packets.map(async ({ asks, destination }, packet) => {
          const names = Array.from(
            { length: asks },
            (_, i) => `${i % 3 === 0 ? 'guess' : 'user'}${packet}-${i >> 1}@x.example`,
          );
          const verdicts = await main.ask(names, { destination, budgetMs: 700 });
          return verdicts.map((verdict, i) => ({ name: names[i] ?? '', verdict }));
        }),
      );
      main.host.close();
      while (main.out() > 0) await main.hears(({ kind }) => kind === 'returned');
      await server.stop();
      t.is(
        answers.flat().length,
        packets.reduce((sum, { asks }) => sum + asks, 0),
      );
      t.deepEqual(main.unasked, []);
      t.true(server.mostOpen() <= permits, `${server.mostOpen()} connections of ${permits}`);
      for (const { rcpts } of server.sessions) t.true(rcpts <= limits.maxRecipientsPerSession, `${rcpts} recipients`);
      for (const { name, verdict } of answers.flat()) {
        if (name.startsWith('user')) t.not(verdict.kind, 'unknown');
        else t.not(verdict.kind, 'valid');
      }
    }),
    { numRuns: 25, endOnFailure: true },
  );
});

/** What the server does instead of `reply`. */
async function faulty(fault: Fault, reply: string): Promise<Move> {
  switch (fault) {
    case 'none':
      return reply;
    case '421':
      return { reply: '421 4.3.2 Going down', close: true };
    case 'close':
    case 'reset':
      return { kind: fault };
    case '452':
      return '452 4.5.3 Too many';
    case '5xx and close':
      return { reply: '550 5.7.1 Go away', close: true };
    case 'temporary':
      return '451 4.7.1 Later';
    case 'protocol':
      return '503 5.5.1 Bad sequence';
    case 'garbage':
      return { raw: 'garbage\r\n' };
    case 'late':
      await new Promise((resolve) => setTimeout(resolve, 20));
      return reply;
  }
}
