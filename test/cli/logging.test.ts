import { readFile } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { EVENTS, type Event, eventsReference, type LogSettings, secretOf } from '@callahead/core';
import test from 'ava';
import fc from 'fast-check';
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
  ref: '',
  code: 250,
  monitor: false,
};

const REJECTED: Event = { ...ACCEPTED, event: 'recipient.rejected', code: 550, reason: 'unknown', ref: 'x7k2q1ab' };

const SETTINGS: LogSettings = { level: 'info', addresses: 'full', addressKey: null };

function setUp(level: LogSettings['level'], settings: Partial<LogSettings> = {}) {
  const lines: string[] = [];
  const outlet = { write: (line: string) => lines.push(line), flush() {}, empty: async () => true };
  const stdout = { isTTY: false } as NodeJS.WriteStream;
  return { lines, ...createLogging({ ...SETTINGS, level, ...settings }, stdout, outlet) };
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
    t.regex(
      line.msg,
      /^reject listener=inbound client=192\.0\.2\.1 rcpt=<[^\s<>"]*> code=550 reason=unknown ref=x7k2q1ab$/,
    );
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

test('the page of events is the one made from the table', async (t) => {
  t.is(await readFile(new URL('../../docs/events.md', import.meta.url), 'utf8'), eventsReference());
});

test('every event of events.ts is in the table, and no other', async (t) => {
  const source = await readFile(new URL('../../packages/core/src/events.ts', import.meta.url), 'utf8');
  const declared = [...source.matchAll(/event: ((?:'[\w.-]+'(?: \| )?)+)/g)].flatMap(([, names = '']) => {
    return [...names.matchAll(/'([\w.-]+)'/g)].map(([, name = '']) => name);
  });
  t.deepEqual([...new Set(declared)].sort(), Object.keys(EVENTS).sort());
});

test('an address in the stable line forges no field', (t) => {
  const { lines, logEvent } = setUp('info');
  logEvent({ ...REJECTED, recipient: '"x> code=550 client=203.0.113.9 100% \u202e"@example.com' });
  t.is(
    JSON.parse(lines[0] ?? '').msg,
    'reject listener=inbound client=192.0.2.1 rcpt=<%22x%3E%20code=550%20client=203.0.113.9%20100%25%20%E2%80%AE%22@example.com> code=550 reason=unknown ref=x7k2q1ab',
  );
});

/** Controls, and what is not seen or turns the writing. */
const HOSTILE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({
    unit: fc.constantFrom(
      '\u2028',
      '\u202e',
      '\u0085',
      '\x1b',
      '\n',
      '\r',
      '\x7f',
      '\u{e0001}',
      '\ufeff',
      'a',
      '"',
      '\\',
      'u',
    ),
  }),
);

test('whatever is said, a line is one line of JSON without a raw control, and means the same', (t) => {
  const property = fc.property(hostile, (text) => {
    const { lines, log, logEvent } = setUp('debug');
    logEvent({ ...REJECTED, recipient: text });
    logEvent({ event: 'client.error', session: '', listener: '', client: '', error: text });
    log.info({ said: text }, text);
    t.is(lines.length, 3);
    for (const line of lines) t.notRegex(line.slice(0, -1), HOSTILE);
    t.is(JSON.parse(lines[0] ?? '').recipient, text);
    t.is(JSON.parse(lines[1] ?? '').error, text);
  });
  fc.assert(property);
});

test('a terminal is sent no control that somebody said', (t) => {
  const property = fc.property(hostile, (text) => {
    const terminal = new PassThrough();
    const stdout = Object.assign(terminal, { isTTY: true }) as unknown as NodeJS.WriteStream;
    const outlet = { write() {}, flush() {}, empty: async () => true };
    const { log, logEvent } = createLogging(SETTINGS, stdout, outlet);
    logEvent({ ...REJECTED, recipient: text });
    logEvent({ event: 'gateway.reload-refused', problem: text });
    log.info({ said: text }, text);
    const colours = new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, 'g');
    const shown = String(terminal.read()).replaceAll(colours, '').split('\n');
    t.is(shown.length, 4);
    for (const line of shown) t.notRegex(line, HOSTILE);
  });
  fc.assert(property);
});

const KEY = { addresses: 'hashed', addressKey: secretOf('a key of ours') } as const;
// printf %s anna@example.com | openssl dgst -sha256 -hmac 'a key of ours'
const ANNA = 'h:b7738a495885db7d@example.com';

test('hashed: one address is one hash, in every field, in the stable line and in a dialogue', (t) => {
  const { lines, logEvent } = setUp('info', KEY);
  logEvent({ ...REJECTED, recipient: 'Anna@example.com' });
  logEvent({
    event: 'probe.dialogue',
    ref: 'x7k2q1ab',
    recipient: 'anna@example.com',
    server: '192.0.2.25:25',
    lines: [
      'C: RCPT TO:<anna@example.com>',
      'S: 550 5.1.1 <anna@example.com>: no mailbox Anna here',
      'C: MAIL FROM:<"o p"@x.example>',
    ],
  });
  logEvent({
    event: 'dhap.blocked',
    listener: 'a',
    client: 'b',
    group: 'c',
    policy: 'd',
    count: 1,
    samples: ['anna@example.com'],
    until: '',
  });
  logEvent({
    event: 'admin.refused',
    client: 'b',
    path: '/api/v1/cache?recipient=anna%40example.com',
    kind: 'token',
    count: 1,
  });
  const [rejected, dialogue, blocked, refused] = lines.map((line) => JSON.parse(line));
  t.is(rejected.recipient, ANNA);
  t.true(rejected.msg.includes(`rcpt=<${ANNA}>`));
  t.is(dialogue.recipient, ANNA);
  t.is(dialogue.lines[0], `C: RCPT TO:<${ANNA}>`);
  t.is(dialogue.lines[1], `S: 550 5.1.1 <${ANNA}>: no mailbox ${ANNA.split('@')[0]} here`);
  t.regex(dialogue.lines[2], /^C: MAIL FROM:<h:[\da-f]{16}@x\.example>$/);
  t.deepEqual(blocked.samples, [ANNA]);
  t.is(refused.path, `/api/v1/cache?recipient=${ANNA}`);
  t.notRegex(lines.join(''), /anna|o p/i);
});

test('hashed: the fatal lines too, with the stack and the cause of their error', (t) => {
  const { lines, log, apply } = setUp('info', KEY);
  const cause = new Error('cannot route "o p"@x.example');
  const error = new Error('no verdict for anna@example.com', { cause });
  log.fatal({ event: 'gateway.fatal', err: error }, `giving up: ${error.message}`);
  const [fatal] = lines.map((line) => JSON.parse(line));
  t.like(fatal, { level: 60, event: 'gateway.fatal', msg: `giving up: no verdict for ${ANNA}` });
  t.true(fatal.err.stack.includes(`no verdict for ${ANNA}\n    at `));
  t.notRegex(lines.join(''), /anna|o p/i);
  apply(SETTINGS);
  log.fatal({ event: 'gateway.fatal', err: error }, 'giving up');
  t.regex(lines[1] ?? '', /anna@example\.com/);
});

test('hashed: an address that has a = is hidden whole, the name of a parameter or an attribute is none', (t) => {
  const { lines, logEvent } = setUp('info', KEY);
  const directory = {
    server: 'd',
    routing: 'r',
    dn: 'mail=anna@example.com,ou=people',
    attribute: 'mailHost',
    value: '',
  };
  logEvent({
    event: 'directory.entry-refused',
    ...directory,
    reason: 'no host for SRS0=x1=tt=home.example=anna@fw.example',
  });
  const message = { session: 'a', listener: 'b', client: 'c', recipients: 1, bytes: 1, server: 'd' };
  logEvent({ event: 'message.relayed', ...message, reply: '250 2.1.5 <anna=home.example@lists.example> queued' });
  logEvent({
    event: 'admin.refused',
    client: 'b',
    path: '/api?a=anna%40example.com&b=anna@example.com',
    kind: 'token',
    count: 1,
  });
  const [entry, , refused] = lines.map((line) => JSON.parse(line));
  t.is(entry.dn, `mail=${ANNA},ou=people`);
  t.regex(entry.reason, /^no host for h:[\da-f]{16}@fw\.example$/);
  t.is(refused.path, `/api?a=${ANNA}&b=${ANNA}`);
  t.notRegex(lines.join(''), /anna/i);
});

test('hashed: what a server says of a canary may name it by its local part alone', (t) => {
  const { lines, logEvent } = setUp('info', KEY);
  const canary = {
    profile: 'corp',
    server: 'ex1:25',
    recipient: 'anna=k@example.com',
    kind: 'unknown',
    ref: 'x7',
  } as const;
  logEvent({ event: 'canary.failed', ...canary, reply: '550 5.1.1 no Anna=K here, nor anna=k@example.com' });
  t.notRegex(lines.join(''), /anna/i);
});

test('a key that is drawn at the start stays over a reload, and another start has another one', (t) => {
  const { lines, logEvent, apply } = setUp('info', { addresses: 'hashed' });
  logEvent(ACCEPTED);
  apply({ ...SETTINGS, addresses: 'full' });
  logEvent(ACCEPTED);
  apply({ ...SETTINGS, addresses: 'hashed' });
  logEvent(ACCEPTED);
  const other = setUp('info', { addresses: 'hashed' });
  other.logEvent(ACCEPTED);
  const [first, plain, again, elsewhere] = [...lines, ...other.lines].map((line) => JSON.parse(line).recipient);
  t.is(plain, 'anna@example.com');
  t.is(first, again);
  t.not(first, elsewhere);
});
