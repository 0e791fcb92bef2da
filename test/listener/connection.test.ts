import test from 'ava';
import { play, readDialogue } from '../support/dialogue.ts';
import { fakeRelay, openFrontDoor } from '../support/front-door.ts';

test('recipients are accepted and rejected, and the message goes to those who were accepted', async (t) => {
  const relay = fakeRelay();
  const { port } = await openFrontDoor(t, { relay });
  await play(port, readDialogue('accept-and-reject'));
  t.is(relay.deliveries.length, 1);
  const [delivery] = relay.deliveries;
  t.is(delivery?.sender, 'sender@client.example');
  t.deepEqual(delivery?.recipients, ['known@example.com', 'postmaster@example.com']);
  t.regex(
    delivery?.data ?? '',
    /^Received: from client\.example \(\[127\.0\.0\.1\]\)[\s\S]*\r\nSubject: one\r\n\r\n\.\.dot(\r\n)?$/,
  );
});
