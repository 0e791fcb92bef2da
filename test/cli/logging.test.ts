import type { Event } from '@callahead/core';
import test from 'ava';
import { createLogging } from '../../packages/cli/src/logging.ts';

const ACCEPTED: Event = {
  event: 'recipient.accepted',
  session: 'a1b2',
  listener: 'inbound',
  client: '192.0.2.1',
  recipient: 'anna@example.com',
  kind: 'valid',
  source: 'cache',
  profile: 'corp',
  server: '192.0.2.25:25',
  tookMs: 0.4,
  code: 250,
  monitor: false,
};

const REJECTED: Event = { ...ACCEPTED, event: 'recipient.rejected', code: 550, reason: 'unknown', ref: 'x7k2q1ab' };

function setUp(level: string) {
  const lines: string[] = [];
  const outlet = { write: (line: string) => lines.push(line), flush() {}, empty: async () => true };
  const stdout = { isTTY: false } as NodeJS.WriteStream;
  return { lines, ...createLogging(level, stdout, outlet) };
}

test('an event is one line of JSON: level, time, its own fields and its name as the message', (t) => {
  const { lines, logEvent } = setUp('info');
  logEvent(ACCEPTED);
  const { time, ...rest } = JSON.parse(lines.join(''));
  t.deepEqual(rest, { level: 30, ...ACCEPTED, msg: 'recipient.accepted' });
  t.true(Math.abs(Date.now() - time) < 60_000);
  t.true(lines[0]?.startsWith('{"level":30,"time":'));
  t.true(lines[0]?.endsWith('}\n'));
});

test('an event looks as what is logged without one', (t) => {
  const { lines, log, logEvent } = setUp('info');
  log.info(ACCEPTED, 'recipient.accepted');
  logEvent(ACCEPTED);
  const [other, own] = lines.map((line) => line.replace(/"time":\d+/, '"time":0'));
  t.is(own, other);
});

test('nothing that a client says ends its line or leaves its field', (t) => {
  for (const recipient of ['"a\\"b"@example.com', 'a","level":60,"x":"', 'a\n{"level":60}', 'a\u0000b', '\ud800@x']) {
    const { lines, logEvent } = setUp('info');
    logEvent({ ...REJECTED, recipient });
    t.is(lines.length, 1);
    t.is(lines[0]?.indexOf('\n'), (lines[0]?.length ?? 0) - 1);
    const line = JSON.parse(lines[0] ?? '');
    t.is(line.recipient, recipient);
    t.is(line.level, 30);
    t.is(line.msg, `reject listener=inbound client=192.0.2.1 rcpt=<${recipient}> code=550 reason=unknown ref=x7k2q1ab`);
  }
});

test('what is below the level is not written, and the level may change', (t) => {
  const { lines, log, logEvent } = setUp('warn');
  logEvent(ACCEPTED);
  t.deepEqual(lines, []);
  log.level = 'info';
  logEvent(ACCEPTED);
  t.is(lines.length, 1);
  logEvent({ event: 'session.closed', session: 'a1b2', listener: 'inbound', client: '192.0.2.1' });
  t.is(lines.length, 1);
});
