/** A next hop that takes fewer recipients a message than its sender has: SPEC 7.3 over the sender's retries. */
import test from 'ava';
import { type Client, openSession } from '../support/dialogue.ts';
import { openRelayedDoor } from '../support/relayed-door.ts';

const MESSAGE = 'Subject: hello\r\n\r\ntext\r\n';

/** One attempt of a sender: those whose mail it is rid of, delivered or refused for good. */
async function attempt(client: Client, recipients: readonly string[]): Promise<{ taken: string[]; lost: string[] }> {
  client.send(['MAIL FROM:<s@client.example>', ...recipients.map((each) => `RCPT TO:<${each}>`), ''].join('\r\n'));
  await client.reply();
  const accepted: string[] = [];
  const lost: string[] = [];
  for (const recipient of recipients) {
    const [line = ''] = await client.reply();
    if (line.startsWith('2')) accepted.push(recipient);
    if (line.startsWith('5')) lost.push(recipient);
  }
  client.send('DATA\r\n');
  let [line = ''] = await client.reply();
  if (line.startsWith('354')) {
    client.send(`${MESSAGE}.\r\n`);
    [line = ''] = await client.reply();
  }
  if (line.startsWith('2')) return { taken: accepted, lost };
  client.send('RSET\r\n');
  await client.reply();
  return { taken: [], lost: line.startsWith('5') && accepted.length > 0 ? [...lost, ...accepted] : lost };
}

for (const reply of ['452 4.5.3 Enough', '452 Enough', '552 5.5.3 Too many recipients', '552 Too many recipients']) {
  test(`a next hop that says "${reply}" after its third recipient gets eight of them in three messages, each recipient once`, async (t) => {
    const users = Array.from({ length: 8 }, (_, i) => `user${i}@example.com`);
    const RCPT = ({ session }: { session: { rcptsInTransaction: number } }): string | null =>
      session.rcptsInTransaction > 3 ? reply : null;
    const door = await openRelayedDoor(t, [{ users, on: { RCPT } }]);
    const client = await openSession(t, door.port, 'EHLO client.example');
    let waiting: readonly string[] = users;
    const attempts: number[] = [];
    while (waiting.length > 0 && attempts.length < 9) {
      const { taken, lost } = await attempt(client, waiting);
      t.deepEqual(lost, [], 'nobody is refused for good');
      attempts.push(taken.length);
      waiting = waiting.filter((each) => !taken.includes(each));
    }
    // Every second attempt is the one that the next hop divides.
    t.deepEqual(attempts, [0, 3, 0, 3, 2]);
    const messages = door.servers[0]?.messages ?? [];
    t.deepEqual(
      messages.map(({ recipients }) => recipients.length),
      [3, 3, 2],
    );
    t.deepEqual(messages.flatMap(({ recipients }) => recipients).toSorted(), users);
    t.is(door.holds.size(), 0);
  });
}
