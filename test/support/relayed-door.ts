/** A front door with the real relay behind it, before fake next hops. */
import type { Recipient } from '@callahead/core';
import type { ExecutionContext } from 'ava';
import type { Client } from './dialogue.ts';
import type { FakeOptions } from './fake-server.ts';
import { type DoorOptions, type FrontDoor, openFrontDoor } from './front-door.ts';
import { type Bench, type BenchOptions, startRelay } from './relays.ts';

export type RelayedDoor = Bench & Pick<FrontDoor, 'port' | 'listener' | 'events'>;

/** Whom next hops know. */
export const USERS = ['known@example.com', 'second@example.com'];

/** Everybody is a valid recipient, and is delivered to the one route, as whom `rewrite` makes of it. */
export async function openRelayedDoor(
  t: ExecutionContext,
  tiers: readonly (FakeOptions | readonly FakeOptions[])[],
  options: Readonly<{ bench?: BenchOptions; door?: DoorOptions; rewrite?: (recipient: Recipient) => Recipient }> = {},
): Promise<RelayedDoor> {
  const { rewrite = (recipient) => recipient } = options;
  const knowing = tiers.map((tier) => [tier].flat().map((each) => ({ users: USERS, ...each })));
  const bench = await startRelay(t, knowing, options.bench);
  const door = await openFrontDoor(t, {
    validate: () => ({ kind: 'valid', source: 'server', server: 'mx.internal:25' }),
    locate: ({ recipient }) => ({ kind: 'ask', recipient: rewrite(recipient), route: bench.route }),
    relay: bench.relay,
    holds: bench.holds,
    ...options.door,
  });
  return { ...bench, ...door };
}

/** Sends a message after EHLO; what the sender hears to DATA, or to the end. `between` comes when half of the message is sent. */
export async function sendMessage(
  client: Client,
  recipients: readonly string[],
  message: string,
  between: () => Promise<void> = async () => {},
): Promise<string> {
  client.send(['MAIL FROM:<s@client.example>', ...recipients.map((each) => `RCPT TO:<${each}>`), ''].join('\r\n'));
  await client.reply();
  for (const _ of recipients) await client.reply();
  client.send('DATA\r\n');
  const answer = await heard(client);
  if (!answer.startsWith('354')) return `DATA ${answer}`;
  const half = Math.floor(message.length / 2);
  client.send(message.slice(0, half));
  await between();
  client.send(`${message.slice(half)}.\r\n`);
  return `end ${await heard(client)}`;
}

/** The codes of a reply. */
async function heard(client: Client): Promise<string> {
  const [line = ''] = await client.reply();
  return /^\d{3}(?: \d\.\d{1,3}\.\d{1,3})?/.exec(line)?.[0] ?? line;
}
