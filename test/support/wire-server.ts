/** A mail server in memory, for tests in which time stands still: it answers a RCPT when it is told to, everything else at once. */
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { openConversation } from '@callahead/core';
import type { Connect } from '../../packages/workers/src/opening.ts';

export type WireConnection = Readonly<{
  /** RCPTs without an answer. */
  outstanding(): number;
  isOpen(): boolean;
  /** Answers the next RCPT, if there is one. */
  answer(reply: string): void;
  close(): void;
}>;

/** `rcpts` left in one write on that connection; `before`: how many there had no answer then. */
export type Heard = (rcpts: number, before: number, inTransaction: number) => void;

export type WireServer = Readonly<{ connect: Connect; connections: readonly WireConnection[]; open(): number }>;

export function createWireServer(now: () => number, pipelining: boolean, heard: Heard): WireServer {
  const connections: WireConnection[] = [];

  const connect: Connect = async (_, { commandTimeoutMs }) => {
    let outstanding = 0;
    let inTransaction = 0;
    let open = true;
    const wire = new Duplex({
      allowHalfOpen: false,
      read() {},
      write(octets: Buffer, _encoding, done) {
        const lines = octets.toString().split('\r\n').slice(0, -1);
        const rcpts = lines.filter((line) => line.startsWith('RCPT')).length;
        if (lines.some((line) => line.startsWith('MAIL'))) inTransaction = 0;
        if (rcpts > 0) {
          inTransaction += rcpts;
          heard(rcpts, outstanding, inTransaction);
          outstanding += rcpts;
        }
        for (const line of lines) if (!line.startsWith('RCPT')) say(replyTo(line));
        done();
      },
      destroy(_error, done) {
        open = false;
        done(null);
      },
    });

    function say(reply: string): void {
      if (open) wire.push(`${reply}\r\n`);
    }

    function replyTo(line: string): string {
      if (line.startsWith('EHLO')) return pipelining ? '250-wire.example\r\n250 PIPELINING' : '250 wire.example';
      return line === 'QUIT' ? '221 2.0.0 Bye' : '250 2.0.0 Ok';
    }

    connections.push({
      outstanding: () => outstanding,
      isOpen: () => open,
      answer(reply) {
        if (outstanding === 0) return;
        outstanding--;
        say(reply);
      },
      close: () => void wire.destroy(),
    });
    say('220 wire.example');
    const conversation = openConversation(wire as unknown as Socket, { now, commandTimeoutMs });
    return { kind: 'open', conversation };
  };

  return { connect, connections, open: () => connections.filter((one) => one.isOpen()).length };
}
