/**
 * Plays the client's part of a dialogue written down as a text, and checks the server's.
 *
 *     S: 220                       the next line begins with this
 *     S: /^250 2\.1\.5 .*ref/      the next line matches
 *     S: 250*                      a whole reply of this code, however many lines
 *     S: (closed)                  the server has closed
 *     C: MAIL FROM:<a@b.example>   a line; lines that follow each other leave in one write, as a pipelining client sends them
 *     C! "RCPT TO:<a\n"            octets as they are, a JSON string
 *     C: (closed)                  the client goes
 *     # a comment
 */
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

const PATIENCE_MS = 10_000;

/** A client that reads replies line by line; `null` is the server's end. */
export type Client = Readonly<{
  socket: Socket;
  send(octets: string): void;
  line(): Promise<string | null>;
  /** All lines of the next reply. */
  reply(): Promise<readonly string[]>;
  transcript(): string;
  close(): void;
}>;

/** `from`: a local address, left to the system where it is left out. */
export async function connectClient(port: number, from?: string): Promise<Client> {
  // What a test writes in pieces must not wait for acknowledgements (RFC 896), which come late.
  const socket = connect({
    port,
    host: '127.0.0.1',
    noDelay: true,
    ...(from === undefined ? {} : { localAddress: from }),
  });
  const client = converse(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', reject);
  });
  return client;
}

/** A conversation on a socket that may be connected already. */
export function converse(socket: Socket): Client {
  const lines: string[] = [];
  const heard: string[] = [];
  let partial = '';
  let ended = false;
  let wake = (): void => {};
  socket.on('data', (chunk: Buffer) => {
    const parts = (partial + chunk.toString('latin1')).split('\r\n');
    partial = parts.pop() ?? '';
    lines.push(...parts);
    wake();
  });
  for (const event of ['end', 'close', 'error']) {
    socket.on(event, () => {
      ended = true;
      wake();
    });
  }
  async function line(): Promise<string | null> {
    const untilMs = Date.now() + PATIENCE_MS;
    while (lines.length === 0 && !ended) {
      await new Promise<void>((resolve, reject) => {
        const late = (): void => reject(new Error(`the server says nothing\n${transcript()}`));
        const timer = setTimeout(late, untilMs - Date.now());
        wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    const next = lines.shift() ?? null;
    heard.push(`S: ${next ?? '(closed)'}`);
    return next;
  }

  async function reply(): Promise<readonly string[]> {
    const all: string[] = [];
    for (;;) {
      const next = await line();
      if (next === null) return all;
      all.push(next);
      if (next[3] !== '-') return all;
    }
  }

  function transcript(): string {
    return heard.join('\n');
  }

  return {
    socket,
    send(octets) {
      for (const text of octets.split('\r\n').slice(0, -1)) heard.push(`C: ${text}`);
      socket.write(octets, 'latin1');
    },
    line,
    reply,
    transcript,
    close: () => socket.destroy(),
  };
}

/** A client whose commands so far have been answered; it goes with the test. */
export async function openSession(
  t: Readonly<{ teardown(close: () => void): void }>,
  port: number,
  ...commands: readonly string[]
): Promise<Client> {
  const client = await connectClient(port);
  t.teardown(client.close);
  await client.reply();
  for (const command of commands) {
    client.send(`${command}\r\n`);
    await client.reply();
  }
  return client;
}

/** Plays a whole dialogue; throws with the transcript where the server departs from it. Resolves with the transcript. */
export async function play(port: number, script: string, from?: string): Promise<string> {
  const client = await connectClient(port, from);
  try {
    let out = '';
    for (const { who, text } of parse(script)) {
      if (who === 'C' && text !== '(closed)') {
        out += text;
        continue;
      }
      if (out !== '') client.send(out);
      out = '';
      if (who === 'C') return client.transcript();
      await expect(client, text);
    }
    if (out !== '') client.send(out);
    return client.transcript();
  } finally {
    client.close();
  }
}

/** A dialogue of test/dialogues, with its `{name}`s replaced. */
export function readDialogue(name: string, facts: Readonly<Record<string, string>> = {}): string {
  const text = readFileSync(new URL(`../dialogues/${name}.smtp`, import.meta.url), 'utf8');
  return text.replace(/\{(\w+)\}/g, (whole, fact: string) => facts[fact] ?? whole);
}

type Turn = Readonly<{ who: 'C' | 'S'; text: string }>;

function parse(script: string): readonly Turn[] {
  const turns: Turn[] = [];
  for (const raw of script.split('\n')) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#')) continue;
    const match = /^([CS])([:!]) ?(.*)$/.exec(line);
    if (match === null) throw new Error(`no line of a dialogue: ${line}`);
    const [, who, kind, text = ''] = match;
    if (who === 'S' || text === '(closed)') turns.push({ who: who === 'S' ? 'S' : 'C', text });
    else turns.push({ who: 'C', text: kind === '!' ? (JSON.parse(text) as string) : `${text}\r\n` });
  }
  return turns;
}

async function expect(client: Client, wanted: string): Promise<void> {
  const whole = /^(\d{3})\*$/.exec(wanted);
  if (whole !== null) {
    const lines = await client.reply();
    if (lines.length > 0 && lines.every((line) => line.startsWith(whole[1] ?? ''))) return;
    throw new Error(`wanted a reply ${whole[1]}\n${client.transcript()}`);
  }
  const line = await client.line();
  if (!fits(line, wanted)) throw new Error(`wanted ${wanted}\n${client.transcript()}`);
}

function fits(line: string | null, wanted: string): boolean {
  if (line === null || wanted === '(closed)') return line === null && wanted === '(closed)';
  if (wanted.startsWith('/')) return new RegExp(wanted.slice(1, wanted.lastIndexOf('/'))).test(line);
  return line.startsWith(wanted);
}
