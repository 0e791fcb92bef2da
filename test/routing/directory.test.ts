import type { Event, LdapServerSettings } from '@callahead/core';
import test, { type ExecutionContext } from 'ava';
import { createDirectory, type Directory, type DirectoryAnswer } from '../../packages/routing/src/directory.ts';
import { type FakeDirectory, startFakeDirectory } from '../support/fake-directory.ts';
import { directoryAt, NO_TLS } from '../support/ldap.ts';
import { until } from '../support/until.ts';

const QUERY = {
  base: 'dc=example',
  fixedBase: true,
  scope: 'sub',
  filter: '(mail=example.com)',
  attributes: ['mailHost'],
} as const;
const ENTRY = { dn: 'cn=one', attributes: { mailHost: ['mx.example'] } };
/** How long a directory that does not answer is waited for; an event loop that is busy with other tests may be later. */
const TIMEOUT_MS = 1_000;
const GRACE_MS = 2_000;
const SHORT = { timeoutMs: TIMEOUT_MS };

type Opened = Readonly<{ directory: Directory; events: Event[]; clock: { skippedMs: number } }>;

/** A pool for these fake servers, with a clock that can skip ahead. Both are taken down with the test, which sees that no connection is left. */
async function open(
  t: ExecutionContext,
  fakes: readonly FakeDirectory[],
  over: Partial<LdapServerSettings> = {},
): Promise<Opened> {
  const events: Event[] = [];
  const clock = { skippedMs: 0 };
  const settings = directoryAt(
    fakes.map((fake) => fake.port),
    { timeoutMs: 10_000, ...over },
  );
  const directory = createDirectory(settings, {
    now: () => performance.now() + clock.skippedMs,
    random: () => 0.5,
    emit: (event) => void events.push(event),
  });
  t.teardown(async () => {
    await directory.close();
    for (const fake of fakes) {
      await unconnected(fake);
      await fake.stop();
    }
  });
  return { directory, events, clock };
}

/** Where nobody could be bound, or nobody is any more, every connection ends; then nothing counts any more that was asked before. */
async function unconnected(fake: FakeDirectory): Promise<void> {
  await until(() => fake.counts.open <= 0);
}

function wordsOf(answer: DirectoryAnswer): string {
  if (answer.kind !== 'found') return `${answer.kind}: ${answer.detail}`;
  return answer.entries.map((entry) => `${entry.dn} ${entry.values.get('mailhost')?.join(' ')}`).join(', ');
}

async function inTime(t: ExecutionContext, answer: Promise<DirectoryAnswer>): Promise<string> {
  const before = performance.now();
  const words = wordsOf(await answer);
  t.true(performance.now() - before < TIMEOUT_MS + GRACE_MS);
  return words;
}

test.serial(
  'many searches at once are answered over no more connections than the settings allow, each bound once',
  async (t) => {
    const fake = await startFakeDirectory({ entries: [ENTRY], delayMs: 1 });
    const { directory } = await open(t, [fake]);
    const answers = await Promise.all(Array.from({ length: 200 }, () => directory.search(QUERY)));
    t.true(answers.every((answer) => wordsOf(answer) === 'cn=one mx.example'));
    t.is(fake.counts.searches, 200);
    t.true(fake.counts.most <= 4, `${fake.counts.most} connections`);
    t.is(fake.counts.binds, fake.counts.connections);
  },
);

test.serial('no connection is made before it is wanted', async (t) => {
  const fake = await startFakeDirectory();
  await open(t, [fake]);
  t.is(fake.counts.connections, 0);
});

for (const mood of ['mute', 'garbage', 'flood', 'confetti', 'overlong', 'close'] as const) {
  test.serial(
    `a directory that is ${mood} is given up in time, and a search after its recovery is answered`,
    async (t) => {
      const fake = await startFakeDirectory({ mood, entries: [ENTRY] });
      const { directory, clock } = await open(t, [fake], SHORT);
      const answers = await Promise.all(Array.from({ length: 20 }, () => inTime(t, directory.search(QUERY))));
      t.true(
        answers.every((words) => words.startsWith('down: ')),
        answers[0],
      );
      fake.script.mood = 'answer';
      // A search that was given up may still be at fault, and put the next try off.
      let words = '';
      for (let i = 0; i < 10 && words !== 'cn=one mx.example'; i++) {
        clock.skippedMs += 60_000;
        words = await inTime(t, directory.search(QUERY));
      }
      t.is(words, 'cn=one mx.example');
    },
  );
}

for (const bind of ['mute', 'refuse'] as const) {
  test.serial(`a bind that meets ${bind} is a directory that is down, said once`, async (t) => {
    const fake = await startFakeDirectory({ bind, entries: [ENTRY] });
    const { directory, events, clock } = await open(t, [fake], SHORT);
    t.regex(await inTime(t, directory.search(QUERY)), /^down: /);
    await unconnected(fake);
    clock.skippedMs += 60_000;
    t.regex(await inTime(t, directory.search(QUERY)), /^down: /);
    await unconnected(fake);
    t.is(events.filter((event) => event.event === 'directory.down').length, 1);
    fake.script.bind = 'well';
    clock.skippedMs += 60_000;
    t.is(await inTime(t, directory.search(QUERY)), 'cn=one mx.example');
    t.deepEqual(
      events.map((event) => event.event),
      ['directory.down', 'directory.up'],
    );
  });
}

test.serial('while a directory is left alone, searches are answered at once and nobody connects', async (t) => {
  const fake = await startFakeDirectory();
  await fake.down();
  const { directory } = await open(t, [fake]);
  t.regex(await inTime(t, directory.search(QUERY)), /^down: .*ECONNREFUSED/);
  await fake.listen();
  for (let i = 0; i < 100; i++) t.regex(wordsOf(await directory.search(QUERY)), /no server answers/);
  t.is(fake.counts.connections, 0);
});

test.serial('a directory that keeps failing is left alone longer and longer, up to a limit', async (t) => {
  const fake = await startFakeDirectory({ bind: 'refuse' });
  const { directory, clock } = await open(t, [fake]);
  const pausesMs: number[] = [];
  let pausedMs = 0;
  while (pausesMs.length < 7) {
    const before = fake.counts.connections;
    await directory.search(QUERY);
    if (fake.counts.connections > before) {
      pausesMs.push(pausedMs);
      pausedMs = 0;
    }
    clock.skippedMs += 500;
    pausedMs += 500;
  }
  // The real clock runs too, so a pause may seem a step shorter than it was.
  for (const [i, pauseMs] of [0, 1_000, 2_000, 4_000, 8_000, 10_000, 10_000].entries()) {
    t.true(pausesMs[i] === pauseMs || pausesMs[i] === pauseMs - 500, pausesMs.join(' '));
  }
});

test.serial(
  'the second server answers when the first refuses, is mute, is busy or hangs up, within the same search',
  async (t) => {
    const first = await startFakeDirectory({ entries: [{ ...ENTRY, dn: 'cn=first' }] });
    const second = await startFakeDirectory({ entries: [{ ...ENTRY, dn: 'cn=second' }] });
    const { directory, events, clock } = await open(t, [first, second], { timeoutMs: 4_000 });
    const ask = async (): Promise<string> => {
      clock.skippedMs += 600_000;
      return wordsOf(await directory.search(QUERY));
    };
    t.is(await ask(), 'cn=first mx.example');
    for (const mood of ['mute', 'busy'] as const) {
      first.script.mood = mood;
      t.is(await ask(), 'cn=second mx.example', mood);
      first.script.mood = 'answer';
      t.is(await ask(), 'cn=first mx.example', 'the first of the list gets its chance again');
    }
    await first.down();
    t.is(await ask(), 'cn=second mx.example', 'down');
    await first.listen();
    t.is(await ask(), 'cn=first mx.example');
    t.is(events.filter((event) => event.event === 'directory.down').length, 3);
  },
);

test.serial('a connection that the directory closed while nobody used it is replaced without a word', async (t) => {
  const fake = await startFakeDirectory({ entries: [ENTRY] });
  const { directory, events } = await open(t, [fake]);
  t.is(wordsOf(await directory.search(QUERY)), 'cn=one mx.example');
  await fake.down();
  await fake.listen();
  t.is(wordsOf(await directory.search(QUERY)), 'cn=one mx.example');
  t.deepEqual(events, []);
});

test.serial('a directory that will not answer this search is not down for others', async (t) => {
  const fake = await startFakeDirectory({ mood: 'denied', entries: [ENTRY] });
  const { directory, events } = await open(t, [fake]);
  t.regex(wordsOf(await directory.search(QUERY)), /^refused: /);
  fake.script.mood = 'answer';
  t.is(wordsOf(await directory.search(QUERY)), 'cn=one mx.example');
  t.is(fake.counts.connections, 1);
  t.deepEqual(events, []);
});

const REQUIRED = { ...SHORT, tls: { ...NO_TLS, mode: 'required' } } as const;

for (const startTls of ['refuse', 'mute', 'close', 'inject', 'break'] as const) {
  test.serial(`where TLS is required, STARTTLS that meets ${startTls} ends before anybody is bound`, async (t) => {
    const fake = await startFakeDirectory({ startTls, entries: [ENTRY] });
    const { directory } = await open(t, [fake], REQUIRED);
    t.regex(await inTime(t, directory.search(QUERY)), /^down: /);
    t.is(fake.counts.binds, 0);
  });
}

for (const startTls of ['refuse', 'close', 'break'] as const) {
  test.serial(
    `where TLS is optional, STARTTLS that meets ${startTls} is done without, on a connection of its own`,
    async (t) => {
      const fake = await startFakeDirectory({ startTls, entries: [ENTRY] });
      const { directory } = await open(t, [fake], { tls: { ...NO_TLS, mode: 'optional' } });
      t.is(await inTime(t, directory.search(QUERY)), 'cn=one mx.example');
      t.is(fake.counts.connections, 2);
      t.is(fake.counts.binds, 1);
    },
  );
}

test.serial('closing answers those that wait, also while the directory says nothing', async (t) => {
  const fake = await startFakeDirectory({ bind: 'mute' });
  const { directory } = await open(t, [fake], { timeoutMs: 60_000 });
  const answer = directory.search(QUERY);
  await until(() => fake.counts.binds !== 0);
  await directory.close();
  t.is(wordsOf(await answer), 'down: the gateway is closing');
  t.is(wordsOf(await directory.search(QUERY)), 'down: the gateway is closing');
});
