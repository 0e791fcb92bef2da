import { randomBytes } from 'node:crypto';
import { type Emit, EVENTS, type Event, type LogSettings } from '@callahead/core';
import { type DestinationStream, type Logger, pino } from 'pino';
import { default as pretty } from 'pino-pretty';
import { createFieldWriter, printed } from './event-lines.ts';
import { createHide, type Hide } from './log-addresses.ts';
import type { Outlet } from './outlet.ts';
import { printableJson, visibleField, visibleJson } from './visible.ts';

export type Log = Logger;

/**
 * `logEvent` writes one event as one line: its name as `msg`, but for a rejection the stable line that log watchers read (SPEC 10.5).
 * `apply` puts other settings in force.
 */
export type Logging = Readonly<{ log: Log; logEvent: Emit; apply(settings: LogSettings): void }>;

/** JSON lines through the outlet, or lines for people where `stdout` is a terminal (SPEC 1.1). No control character of anybody's gets out (SPEC 9.4). */
export function createLogging(settings: LogSettings, stdout: NodeJS.WriteStream, outlet: Outlet): Logging {
  const people = stdout.isTTY ? printable(stdout) : null;
  const lines = people ?? visible(outlet);
  const log = pino({ level: settings.level, base: null }, { write: (line) => lines.write(hidden(line)) });
  const { write } = people ?? outlet;
  const fieldsOf = createFieldWriter();
  const ownKey = randomBytes(32).toString('hex');
  let hide: Hide | null = hideFor(settings);

  function hideFor({ addresses, addressKey }: LogSettings): Hide | null {
    return addresses === 'full' ? null : createHide(addressKey?.reveal() ?? ownKey);
  }

  /** The few lines that are no events: an error may name anybody. */
  function hidden(line: string): string {
    const { text } = hide ?? {};
    if (text === undefined) return line;
    return `${JSON.stringify(JSON.parse(line), (_, value) => (typeof value === 'string' ? text(value) : value))}\n`;
  }

  // As pino writes them, in a fifth of the time: most lines of a busy log are events, and events are plain.
  function logEvent(event: Event): void {
    const { level } = EVENTS[event.event];
    if (!log.isLevelEnabled(level)) return;
    const shown = hide === null ? event : hide.event(event);
    const start = `{"level":${log.levels.values[level]},"time":${Date.now()}`;
    write(`${start}${fieldsOf(shown)},"msg":${printed(messageOf(shown))}}\n`);
  }

  function apply(next: LogSettings): void {
    log.level = next.level;
    hide = hideFor(next);
  }

  return { log, logEvent, apply };
}

function visible(outlet: Outlet): DestinationStream {
  return { write: (line) => outlet.write(visibleJson(line)) };
}

function printable(stdout: NodeJS.WriteStream): DestinationStream {
  const people = pretty({
    destination: stdout,
    sync: true,
    ignore: 'pid,hostname',
    translateTime: 'SYS:HH:MM:ss.l',
    singleLine: true,
  });
  return { write: (line) => people.write(`${printableJson(line.trimEnd())}\n`) };
}

function messageOf(event: Event): string {
  if (event.event === 'gateway.reload-refused') return `reload refused: ${event.problem}`;
  if (event.event === 'session.refused') return refusalLine(event);
  if (event.event !== 'recipient.rejected') return event.event;
  const { listener, client, recipient, code, reason, ref } = event;
  return `reject listener=${listener} client=${client} rcpt=<${visibleField(recipient)}> code=${code} reason=${reason} ref=${ref}`;
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
