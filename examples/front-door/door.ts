/**
 * A mail server of one's own in a few lines: it knows two users, and writes what they get to the standard output.
 *
 *     node examples/front-door/door.ts 127.0.0.1:2525
 */
import { createFrontDoor, UNKNOWN, VALID } from '@callahead/listener';

const users = new Set(['ann@corp.example', 'bob@corp.example']);

const door = createFrontDoor({
  hostname: 'mx.corp.example',
  listen: process.argv[2] ?? '127.0.0.1:2525',
  recipients: ['corp.example'],
  listener: { limits: { messageSize: '10MB' } },
  validate: async ({ recipient }) => (users.has(recipient.address) ? VALID : UNKNOWN),
  async deliver({ sender, recipients }, message) {
    let octets = 0;
    for await (const chunk of message) octets += chunk.length;
    process.stdout.write(
      `${octets} octets from <${sender}> to ${recipients.map(({ address }) => address).join(', ')}\n`,
    );
    return { code: 250, enhanced: '2.0.0', text: 'Thank you' };
  },
});

const [socket] = await door.listen();
process.stdout.write(`listening on ${socket}\n`);
process.once('SIGTERM', () => void door.drain(performance.now() + 30_000));
