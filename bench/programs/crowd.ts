/**
 * Clients that hold sessions: `crowd.ts PORT COUNT BYTE_MS`. Each says EHLO and then nothing or, where BYTE_MS is not 0, one more octet of a command
 * without an end every so many milliseconds. Prints how many are open once all are; a line on its input ends it.
 */
import { connect } from 'node:net';

const [port = 0, count = 0, byteMs = 0] = process.argv.slice(2).map(Number);
/** So many connect at a time: no accept queue overflows. */
const AT_ONCE = 200;

let begun = 0;
let opened = 0;
let lost = 0;

function open(): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' });
    let greeted = false;
    socket.on('data', (chunk) => {
      if (!greeted) socket.write('EHLO crowd.example\r\n');
      else if (/^250 /m.test(chunk.toString('latin1'))) settle();
      greeted = true;
    });
    socket.on('error', () => {});
    socket.on('close', () => {
      lost++;
      resolve();
    });

    function settle(): void {
      opened++;
      resolve();
      if (byteMs > 0) setInterval(() => socket.write('N'), byteMs);
    }
  });
}

async function openSome(): Promise<void> {
  while (begun < count) {
    begun++;
    await open();
  }
}

await Promise.all(Array.from({ length: Math.min(AT_ONCE, count) }, openSome));
process.stdout.write(`${opened}\n`);
process.stdin.once('data', () => {
  process.stdout.write(`${opened - lost}\n`, () => process.exit(0));
});
