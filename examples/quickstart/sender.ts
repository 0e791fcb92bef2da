import { connect } from 'node:net';

export type Sender = Readonly<{ stop(): void }>;

const DOMAIN = 'example.com';
/** Whom people write to, with the slips of the pen that every domain sees. */
const WRITTEN_TO = ['alice', 'bob', 'alice', 'bob', 'postmaster', 'allice', 'bob.smith', 'info', 'sales'];
const PAUSE_MS = 1_500;
/** Every so many sessions one is of somebody who guesses names. */
const GUESSING = 12;
const DEADLINE_MS = 10_000;

/** Writes to the gateway at `port` as the world would: a short session every second or two, some messages, now and then one who guesses names. For `minutes`, then it stops by itself. */
export function startSender(options: Readonly<{ port: number; minutes: number }>): Sender {
  const endMs = performance.now() + options.minutes * 60_000;
  let turn = 0;
  const timer = setInterval(() => {
    if (performance.now() > endMs) return clearInterval(timer);
    turn++;
    send(options.port, turn % GUESSING === 0 ? guesses(turn) : letter(turn));
  }, PAUSE_MS);
  return { stop: () => clearInterval(timer) };
}

type Letter = Readonly<{ recipients: readonly string[]; isSent: boolean }>;

function letter(turn: number): Letter {
  const howMany = 1 + (turn % 3);
  const names = [...Array(howMany).keys()].map((i) => WRITTEN_TO[(turn * 5 + i * 2) % WRITTEN_TO.length] ?? 'alice');
  return { recipients: [...names, 'alice'].map((name) => `${name}@${DOMAIN}`), isSent: turn % 5 === 0 };
}

function guesses(turn: number): Letter {
  return { recipients: [...Array(8).keys()].map((i) => `guess${turn + i}@${DOMAIN}`), isSent: false };
}

/** All that is to be said at once, after the greeting; the answer to DATA is waited for. What goes wrong is the gateway's to tell. */
function send(port: number, { recipients, isSent }: Letter): void {
  const socket = connect(port, '127.0.0.1');
  const envelope = ['MAIL FROM:<newsletter@sender.example>', ...recipients.map((one) => `RCPT TO:<${one}>`)];
  let said = '';
  let step = 0;
  socket.setTimeout(DEADLINE_MS, () => socket.destroy());
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    said += chunk.toString('latin1');
    if (step === 0 && /^220 /m.test(said)) next('EHLO sender.example');
    else if (step === 1 && /^250 /m.test(said)) next(...envelope, isSent ? 'DATA' : 'QUIT');
    else if (step === 2 && isSent && /^354 /m.test(said))
      next('Subject: news', 'From: newsletter@sender.example', '', 'Hello', '.', 'QUIT');
  });

  function next(...lines: readonly string[]): void {
    said = '';
    step++;
    socket.write(`${lines.join('\r\n')}\r\n`);
  }
}
