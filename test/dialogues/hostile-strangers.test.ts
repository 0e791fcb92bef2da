/** Clients that take us for somebody else, and clients that stay when everything is said: both are gone soon, and free their place. */
import test from 'ava';
import { connectClient, openSession } from '../support/dialogue.ts';
import { openFrontDoor } from '../support/front-door.ts';
import { connectSecurely } from '../support/tls-client.ts';
import { until } from '../support/until.ts';

const HELLOS: readonly (readonly [what: string, octets: Buffer])[] = [
  ['TLS', Buffer.from('16030100a5010000a10303', 'hex')],
  ['TLS with line ends in it', Buffer.from('160301000d0a00010d0a', 'hex')],
  ['SSL 2', Buffer.from('802e0100020015000000100100800200800300800600400400800700c0', 'hex')],
];

for (const [what, octets] of HELLOS) {
  test(`a hello of ${what} where there is no TLS ends the session, before and after commands`, async (t) => {
    const { port, listener } = await openFrontDoor(t);
    for (const commands of [[], ['EHLO client.example', 'MAIL FROM:<>']]) {
      const client = await openSession(t, port, ...commands);
      client.socket.write(octets.subarray(0, 1));
      client.socket.write(octets.subarray(1));
      t.regex((await client.line()) ?? '', /^421 4\.7\.0 /);
      t.is(await client.line(), null);
    }
    await until(() => listener.sessions() <= 0);
  });
}

test('a client of TLS that does not wait for a greeting is told at once that there is none', async (t) => {
  const { port, listener } = await openFrontDoor(t);
  await t.throwsAsync(connectSecurely(port));
  await until(() => listener.sessions() <= 0);
});

for (const [what, command] of [
  ['its QUIT', 'QUIT\r\n'],
  ['a 421', 'GET / HTTP/1.1\r\n'],
] as const) {
  test(`a client that stays and talks on after ${what} takes a place until it is cut off, a few seconds later`, async (t) => {
    const { port, listener } = await openFrontDoor(t);
    const client = await connectClient(port);
    t.teardown(client.close);
    client.socket.allowHalfOpen = true;
    await client.reply();
    client.send(command);
    t.regex((await client.line()) ?? '', /^(?:221|421) /);
    t.is(await client.line(), null);
    t.is(listener.sessions(), 1);
    const talk = setInterval(() => client.socket.write('NOOP\r\n'), 100);
    t.teardown(() => clearInterval(talk));
    await until(() => listener.sessions() <= 0);
    t.regex(client.transcript(), /\(closed\)$/);
  });
}
