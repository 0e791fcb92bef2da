import type { Emit, Event } from '@callahead/core';
import { type DestinationStream, type Logger, pino } from 'pino';
import { default as pretty } from 'pino-pretty';
import type { Outlet } from './outlet.ts';

export type Log = Logger;

/** `logEvent` writes one event as one line: its name as `msg`, but for a rejection the stable line that log watchers read (SPEC 10.5). */
export type Logging = Readonly<{ log: Log; logEvent: Emit }>;

/** JSON lines through the outlet, or lines for people where `stdout` is a terminal (SPEC 1.1). */
export function createLogging(level: string, stdout: NodeJS.WriteStream, outlet: Outlet): Logging {
  const stream: DestinationStream = stdout.isTTY
    ? pretty({
        destination: stdout,
        sync: true,
        ignore: 'pid,hostname',
        translateTime: 'SYS:HH:MM:ss.l',
        singleLine: true,
      })
    : outlet;
  const log = pino({ level, base: null }, stream);

  // As pino writes them, in a third of the time: most lines of a busy log are events, and events are plain.
  function logEvent(event: Event): void {
    const level = levelOf(event);
    if (!log.isLevelEnabled(level)) return;
    const fields = JSON.stringify(event).slice(1, -1);
    const message = JSON.stringify(messageOf(event));
    stream.write(`{"level":${log.levels.values[level]},"time":${Date.now()},${fields},"msg":${message}}\n`);
  }

  return { log, logEvent };
}

function messageOf(event: Event): string {
  if (event.event === 'gateway.reload-refused') return `reload refused: ${event.problem}`;
  if (event.event === 'session.refused') return refusalLine(event);
  if (event.event !== 'recipient.rejected') return event.event;
  const { listener, client, recipient, code, reason, ref } = event;
  return `reject listener=${listener} client=${client} rcpt=<${recipient}> code=${code} reason=${reason} ref=${ref}`;
}

/** As of a recipient that was rejected, for who watches for those watches for this too. */
function refusalLine({
  listener,
  client,
  code,
  reason,
  session,
}: Extract<Event, { event: 'session.refused' }>): string {
  return `reject listener=${listener} client=${client} rcpt=<> code=${code} reason=${reason} ref=${session}`;
}

function levelOf(event: Event): 'debug' | 'info' | 'warn' | 'error' {
  switch (event.event) {
    case 'session.opened':
    case 'session.closed':
    case 'session.secured':
    case 'client.error':
      return 'debug';
    case 'session.admitted':
    case 'session.refused':
    case 'session.not-secured':
    case 'recipient.accepted':
    case 'recipient.rejected':
    case 'message.relayed':
    case 'message.refused':
    case 'message.discarded':
    case 'probe.dialogue':
    case 'breaker.closed':
    case 'cache.loaded':
    case 'cache.saved':
    case 'directory.up':
    case 'gateway.reloaded':
    case 'gateway.generation-ended':
    case 'admin.acted':
      return 'info';
    case 'message.unacknowledged':
    case 'proxy.refused':
    case 'breaker.opened':
    case 'cache.damaged':
    case 'cache.unsaved':
    case 'dhap.blocked':
    case 'directory.down':
    case 'admin.refused':
    case 'directory.entry-refused':
    case 'gateway.reload-warning':
      return 'warn';
    case 'thread.replaced':
    case 'admin.failed':
    case 'actor.crashed':
    case 'gateway.reload-refused':
      return 'error';
  }
}
