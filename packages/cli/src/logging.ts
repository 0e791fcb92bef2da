import type { Event } from '@callahead/core';
import { type DestinationStream, type Logger, pino } from 'pino';
import { default as pretty } from 'pino-pretty';

export type Log = Logger;

/** JSON lines on a pipe or in a file, lines for people on a terminal (SPEC 1.1). */
export function createLog(level: string, out: NodeJS.WriteStream): Log {
  const stream: DestinationStream = out.isTTY
    ? pretty({
        destination: out,
        sync: true,
        ignore: 'pid,hostname',
        translateTime: 'SYS:HH:MM:ss.l',
        singleLine: true,
      })
    : out;
  return pino({ level, base: null }, stream);
}

/** Writes one event as one line: its name as `msg`, but for a rejection the stable line that log watchers read (SPEC 10.5). */
export function logEvent(log: Log, event: Event): void {
  log[levelOf(event)](event, messageOf(event));
}

function messageOf(event: Event): string {
  if (event.event !== 'recipient.rejected') return event.event;
  const { listener, client, recipient, code, reason, ref } = event;
  return `reject listener=${listener} client=${client} rcpt=<${recipient}> code=${code} reason=${reason} ref=${ref}`;
}

function levelOf(event: Event): 'debug' | 'info' | 'warn' | 'error' {
  switch (event.event) {
    case 'session.opened':
    case 'session.closed':
    case 'client.error':
      return 'debug';
    case 'recipient.accepted':
    case 'recipient.rejected':
    case 'message.relayed':
    case 'message.refused':
    case 'message.discarded':
    case 'probe.dialogue':
    case 'breaker.closed':
    case 'directory.up':
      return 'info';
    case 'breaker.opened':
    case 'directory.down':
    case 'directory.entry-refused':
      return 'warn';
    case 'thread.replaced':
    case 'actor.crashed':
      return 'error';
  }
}
