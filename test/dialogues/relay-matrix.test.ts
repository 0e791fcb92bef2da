/** Plays every cell of the matrix (support/relay-matrix.ts): a sender at the front door, the relay, and a next hop at which something goes wrong. */
import { readFile } from 'node:fs/promises';
import { type DeliverySettings, dial, type ServerTls } from '@callahead/core';
import test from 'ava';
import { createCertificate } from '../support/certificates.ts';
import { openSession } from '../support/dialogue.ts';
import {
  type FakeOptions,
  type FakeSession,
  type Handler,
  type Move,
  NOBODYS_ADDRESS,
  type Verb,
} from '../support/fake-server.ts';
import {
  CELLS,
  type Cell,
  type Fault,
  MATRIX_BEGINS,
  MATRIX_ENDS,
  matrixTable,
  type Point,
} from '../support/relay-matrix.ts';
import { openRelayedDoor, sendMessage, USERS } from '../support/relayed-door.ts';
import { allClosed } from '../support/relays.ts';
import { until } from '../support/until.ts';

const MESSAGE = 'Subject: hello\r\n\r\n..dots\r\ntext\r\n';
/** More than the kernel takes for a next hop that does not read. */
const BIG_MESSAGE = `Subject: big\r\n\r\n${`${'x'.repeat(998)}\r\n`.repeat(24_000)}`;
const IMPATIENT_MS = 1_500;

const certificate = createCertificate({ names: ['mx.internal'] });
const TLS: ServerTls = {
  mode: 'optional',
  verify: false,
  ca: null,
  identity: null,
  servername: null,
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: 'DEFAULT',
};

const VERBS: Readonly<Partial<Record<Point, Verb>>> = {
  'the greeting': 'connect',
  EHLO: 'EHLO',
  'STARTTLS, optional': 'STARTTLS',
  'STARTTLS, required': 'STARTTLS',
  MAIL: 'MAIL',
  'the only RCPT': 'RCPT',
  'RCPT, the second of two': 'RCPT',
  DATA: 'DATA',
  'the end of the message': 'DOT',
  'QUIT, or RSET': 'QUIT',
};

/** A next hop that goes wrong until it is `well`, and counts what it has. `heard`: the sender has its answer. */
type Sink = { well: boolean; holds: number; heard: PromiseWithResolvers<void> };

function optionsFor({ point, fault }: Cell, sink: Sink, capabilities: readonly string[]): FakeOptions {
  const verb = VERBS[point];
  const goesWrong: Handler = ({ session }) => {
    if (sink.well || (point === 'RCPT, the second of two' && session.rcptsInTransaction === 1)) return null;
    return moveOf(fault, sink);
  };
  return {
    capabilities,
    ...(point.startsWith('STARTTLS') ? { tls: certificate } : {}),
    on: {
      ...(verb === undefined ? {} : { [verb]: goesWrong }),
      DATA: (command) => {
        if (point === 'DATA') return goesWrong(command);
        if (point === 'the middle of the message' && !sink.well) breakInTheMiddle(command.session, fault);
        return null;
      },
      async DOT(command) {
        const move = verb === 'DOT' ? await goesWrong(command) : null;
        if (typeof move !== 'string' || move.startsWith('2')) sink.holds++;
        return move;
      },
    },
  };
}

async function moveOf(fault: Fault, sink: Sink): Promise<Move> {
  switch (fault) {
    case 'refuses with 4yz':
      return '450 4.7.1 Later';
    case 'refuses with 5yz':
      return '554 5.7.1 No';
    case 'closes':
      return { kind: 'close' };
    case 'is silent':
      return { kind: 'silent' };
    case 'says yes, and closes':
      return { reply: '250 2.0.0 Taken', close: true };
    case 'says yes too late':
      await sink.heard.promise;
      return '250 2.0.0 Taken';
    case 'says no too late':
      await sink.heard.promise;
      return '554 5.7.1 No';
  }
}

function breakInTheMiddle({ socket }: FakeSession, fault: Fault): void {
  socket.once('data', () => {
    if (fault === 'closes') socket.end();
    else if (fault === 'is silent') socket.pause();
    else socket.write(fault === 'refuses with 4yz' ? '450 4.7.1 Later\r\n' : '554 5.7.1 No\r\n');
  });
}

function settingsFor({ point, fault }: Cell): Partial<DeliverySettings> {
  const waits = fault === 'is silent' || fault.endsWith('too late');
  return {
    ...(waits ? { connectTimeoutMs: 200, commandTimeoutMs: IMPATIENT_MS, endOfDataTimeoutMs: IMPATIENT_MS } : {}),
    ...(point === 'STARTTLS, optional' ? { tls: TLS } : {}),
    ...(point === 'STARTTLS, required' ? { tls: { ...TLS, mode: 'required' } } : {}),
  };
}

/** Connecting that comes to nothing, while it lasts. */
function dialFor({ point, fault }: Cell, sink: Sink): typeof dial {
  if (point !== 'connecting') return dial;
  return async (place, timeoutMs) => {
    if (sink.well || place.kind !== 'tcp') return dial(place, timeoutMs);
    if (fault === 'closes') return dial({ ...place, address: NOBODYS_ADDRESS }, timeoutMs);
    await new Promise((resolve) => setTimeout(resolve, timeoutMs));
    return { kind: 'failed', cause: 'timeout', detail: 'nobody answered' };
  };
}

for (const extension of ['PIPELINING', 'ENHANCEDSTATUSCODES']) {
  for (const cell of CELLS) {
    const { point, fault, hears, holds, afterRetry } = cell;
    test(`at ${point} the next hop ${fault}: the sender hears ${hears}, the next hop has ${holds} (${extension})`, async (t) => {
      const sink: Sink = { well: false, holds: 0, heard: Promise.withResolvers() };
      const door = await openRelayedDoor(t, [optionsFor(cell, sink, [extension])], {
        bench: { settings: settingsFor(cell), relay: { dial: dialFor(cell, sink) } },
        door: { limits: { messageSize: 50_000_000 } },
      });
      const inTheMiddle = point === 'the middle of the message';
      const recipients = point === 'RCPT, the second of two' ? USERS : USERS.slice(0, 1);
      const message = inTheMiddle && fault === 'is silent' ? BIG_MESSAGE : MESSAGE;
      const isBroken = async (): Promise<void> => {
        if (inTheMiddle && fault !== 'is silent') await until(() => door.relay.connections() === 0);
      };
      const client = await openSession(t, door.port, 'EHLO client.example');
      t.is(await sendMessage(client, recipients, message, isBroken), hears);
      sink.heard.resolve();
      await allClosed(door);
      t.is(sink.holds, holds);
      t.deepEqual(door.learned.length, hears.startsWith('end 250') ? recipients.length : 0);

      sink.well = true;
      if (afterRetry === null) return;
      t.is(await sendMessage(client, recipients, MESSAGE), 'end 250 2.0.0');
      t.is(sink.holds, afterRetry);
    });
  }
}

test('the table of docs/relay.md is the one that is played here (npm run reference writes it)', async (t) => {
  const page = await readFile(new URL('../../docs/relay.md', import.meta.url), 'utf8');
  t.is(page.split(MATRIX_BEGINS)[1]?.split(MATRIX_ENDS)[0], matrixTable());
});
