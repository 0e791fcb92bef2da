import type { Event } from './events.ts';

export type EventLevel = 'debug' | 'info' | 'warn' | 'error';

/**
 * What a field of an event may hold, for who writes it where others read it. `address`: one mail address, perhaps one that is none; `addresses`: a list
 * of them; `text`: words of ours, of a server or of a client, in which addresses may stand; `lines`: a list of such; `plain`: none of them.
 */
export type FieldKind = 'plain' | 'address' | 'addresses' | 'text' | 'lines';

type Named<Name, Any = Event> = Any extends { readonly event: infer Own } ? (Name extends Own ? Any : never) : never;
type Fields<Name> = Readonly<Record<Exclude<keyof Named<Name>, 'event'>, FieldKind>>;
type Entry<Name> = Readonly<{ level: EventLevel; sentence: string; fields: Fields<Name> }>;

const session = { session: 'plain', listener: 'plain', client: 'plain' } as const;
const checked = {
  ...session,
  recipient: 'address',
  kind: 'plain',
  source: 'plain',
  profile: 'plain',
  server: 'plain',
  tookMs: 'plain',
  ref: 'plain',
} as const;
const message = { ...session, recipients: 'plain', bytes: 'plain' } as const;
const relayed = { ...message, server: 'plain', reply: 'text' } as const;
const breaker = { profile: 'plain', server: 'plain', untilMs: 'plain' } as const;
const canary = { profile: 'plain', server: 'plain', recipient: 'address' } as const;
const directory = { server: 'plain', url: 'plain' } as const;

/** Every event: its level in the log, what it says, and its fields. docs/events.md is written from it (`npm run reference`). */
export const EVENTS: Readonly<{ [Name in Event['event']]: Entry<Name> }> = {
  'session.opened': {
    level: 'debug',
    sentence: 'A client is connected. `generation` counts the configurations since the start.',
    fields: { ...session, generation: 'plain' },
  },
  'session.closed': { level: 'debug', sentence: 'A session has ended.', fields: session },
  'session.admitted': {
    level: 'info',
    sentence: 'What host access says of a client: the group, the entry that matched, the policy and its action.',
    fields: { ...session, group: 'plain', entry: 'plain', policy: 'plain', action: 'plain' },
  },
  'session.refused': {
    level: 'info',
    sentence:
      'A client was turned away for its group (`host`), or by a limit of its policy (`connections`, `messages`). Its `msg` is the line of a rejection. Code 0: without a word.',
    fields: { ...session, group: 'plain', policy: 'plain', code: 'plain', reason: 'plain' },
  },
  'session.shed': {
    level: 'warn',
    sentence:
      'There was no room for so many clients, and they got 421 4.3.2, or were cut off: the listener has as many sessions as it may (`sessions`), or the engine as many recipients (`overload`). The first is told of at once, the others once a second; `client` is the last of them.',
    fields: { listener: 'plain', reason: 'plain', count: 'plain', client: 'plain' },
  },
  'session.secured': {
    level: 'debug',
    sentence: 'A client is encrypted.',
    fields: { ...session, protocol: 'plain', cipher: 'plain' },
  },
  'session.not-secured': {
    level: 'info',
    sentence: 'There was no TLS handshake. `session` is empty where TLS would have come first.',
    fields: { ...session, reason: 'text' },
  },
  'proxy.refused': {
    level: 'warn',
    sentence: 'A trusted proxy did not say for whom it speaks.',
    fields: { listener: 'plain', proxy: 'plain', reason: 'text' },
  },
  'recipient.accepted': {
    level: 'info',
    sentence:
      'A recipient was accepted, and what was known of it. `monitor`: whatever that was; `ref` then leads to the dialogue.',
    fields: { ...checked, code: 'plain', monitor: 'plain' },
  },
  'recipient.rejected': {
    level: 'info',
    sentence:
      'A recipient was refused. Its `msg` is the line of a rejection; `ref` leads to the dialogue, or is the session. What is no address (`syntax`, `parameter`) is printable ASCII and cut at 320 characters.',
    fields: { ...checked, code: 'plain', reason: 'plain' },
  },
  'message.relayed': { level: 'info', sentence: 'The next hop took a message.', fields: relayed },
  'message.unacknowledged': {
    level: 'warn',
    sentence: 'The next hop took a message, and its sender was gone before it was told so: it will arrive twice.',
    fields: relayed,
  },
  'message.refused': {
    level: 'info',
    sentence: 'A message was refused after its recipients were accepted.',
    fields: { ...relayed, reason: 'plain' },
  },
  'message.discarded': { level: 'info', sentence: 'A message went to /dev/null, as its route says.', fields: message },
  'dhap.blocked': {
    level: 'warn',
    sentence:
      'A client has had as many invalid recipients within an hour as its policy allows. `client` is its prefix, `samples` are the last of them.',
    fields: {
      listener: 'plain',
      client: 'plain',
      group: 'plain',
      policy: 'plain',
      count: 'plain',
      samples: 'addresses',
      until: 'plain',
    },
  },
  'probe.dialogue': {
    level: 'info',
    sentence: 'What was said with the servers about a recipient that is not valid, once; refusals carry its `ref`.',
    fields: { ref: 'plain', recipient: 'address', server: 'plain', lines: 'lines' },
  },
  'breaker.opened': { level: 'warn', sentence: 'A server that does not answer is left alone.', fields: breaker },
  'breaker.closed': { level: 'info', sentence: 'A server answers again.', fields: breaker },
  'canary.failed': {
    level: 'error',
    sentence:
      'A server refuses the recipient that it has to know: nobody is refused for what it says, until it accepts that recipient again.',
    fields: { ...canary, kind: 'plain', reply: 'text', ref: 'plain' },
  },
  'canary.recovered': {
    level: 'info',
    sentence: 'It accepts that recipient again: its rejections count.',
    fields: canary,
  },
  'canary.catch-all': {
    level: 'warn',
    sentence: 'A server accepts a recipient that nobody can have: it accepts everybody.',
    fields: canary,
  },
  'canary.selective': { level: 'info', sentence: 'It does so no more.', fields: canary },
  'canary.unanswered': {
    level: 'debug',
    sentence: 'Nothing was found out by a canary, and nothing changes: `kind` is the verdict.',
    fields: { ...canary, kind: 'plain', ref: 'plain' },
  },
  'cache.loaded': {
    level: 'info',
    sentence: 'Answers of the last run are remembered.',
    fields: { file: 'plain', destinations: 'plain' },
  },
  'cache.saved': {
    level: 'info',
    sentence: 'Answers were written for the next run.',
    fields: { file: 'plain', entries: 'plain', octets: 'plain' },
  },
  'cache.damaged': {
    level: 'warn',
    sentence: 'What is in the file cannot be used: the cache begins empty.',
    fields: { file: 'plain', error: 'text' },
  },
  'cache.unsaved': {
    level: 'warn',
    sentence: 'The file cannot be written, and is as it was.',
    fields: { file: 'plain', error: 'text' },
  },
  'thread.replaced': {
    level: 'error',
    sentence: 'A thread of the engine ended or hung, and has a successor.',
    fields: { thread: 'plain', reason: 'text', outstanding: 'plain' },
  },
  'actor.crashed': {
    level: 'error',
    sentence: 'The actor of a destination threw, and was rebuilt.',
    fields: { thread: 'plain', destination: 'plain', error: 'text' },
  },
  'directory.up': { level: 'info', sentence: 'A directory answers.', fields: directory },
  'directory.down': {
    level: 'warn',
    sentence: 'A directory does not answer.',
    fields: { ...directory, error: 'text' },
  },
  'directory.entry-refused': {
    level: 'warn',
    sentence: 'An entry of a directory cannot be used.',
    fields: {
      server: 'plain',
      routing: 'plain',
      dn: 'text',
      attribute: 'plain',
      value: 'text',
      reason: 'text',
    },
  },
  'gateway.reloaded': {
    level: 'info',
    sentence: 'A new configuration is in force. `restart`: keys that count only after a restart.',
    fields: { generation: 'plain', opened: 'plain', closed: 'plain', kept: 'plain', restart: 'plain' },
  },
  'gateway.reload-refused': {
    level: 'error',
    sentence: 'A problem of a new configuration, one line each; the old one stays in force.',
    fields: { problem: 'text' },
  },
  'gateway.reload-warning': {
    level: 'warn',
    sentence: 'What is doubtful about a new configuration.',
    fields: { problem: 'text' },
  },
  'gateway.generation-ended': {
    level: 'info',
    sentence: 'The last session of an earlier configuration has ended.',
    fields: { generation: 'plain' },
  },
  'admin.acted': {
    level: 'info',
    sentence: 'Somebody did something by the HTTP API; `about` is what it was done to.',
    fields: { action: 'plain', client: 'plain', about: 'text' },
  },
  'admin.refused': {
    level: 'warn',
    sentence:
      'A request to the HTTP API was not allowed. Twenty are told of one by one, more of them once a second: `count` is how many since the last line.',
    fields: { client: 'plain', path: 'text', kind: 'plain', count: 'plain' },
  },
  'admin.failed': {
    level: 'error',
    sentence: 'A request to the HTTP API could not be answered.',
    fields: { client: 'plain', path: 'text', error: 'text' },
  },
  'client.error': {
    level: 'debug',
    sentence: 'The connection of a client broke. `session` and `client` are empty where a socket could not listen.',
    fields: { ...session, error: 'text' },
  },
};

const INTRODUCTION = `# Events

Each line of the log that tells of an event is a JSON object with \`level\` (debug 20, info 30, warn 40, error 50), \`time\` (milliseconds since 1970), \`event\`, the fields below, and
\`msg\`. Names are stable. \`msg\` is the name, but for a rejection it is the line that log watchers read:

\`\`\`
reject listener=inbound client=192.0.2.1 rcpt=<nobody@example.com> code=550 reason=unknown ref=x7k2q1ab
\`\`\`

Characters in \`rcpt\` that could be taken for the end of it (blanks, \`<\`, \`>\`, \`"\` and \`\\\`), what no terminal should be sent, and \`%\` stand there as \`%20\`. With \`log.addresses: hashed\` the fields marked
*address* have the keyed hash of an address in its place, and so has every address within those marked *text*. Besides these events, the process tells of itself: \`gateway.ready\`,
\`gateway.draining\`, \`gateway.stopped\` (info), \`gateway.killed\`, \`log.dropped\` (warn), \`gateway.failed\` and \`gateway.fatal\` (fatal); in their texts addresses are hashed too. This page is generated from the source.
`;

/** The reference page, in Markdown. */
export function eventsReference(): string {
  const rows = Object.entries(EVENTS).map(([name, { level, sentence, fields }]) => {
    const shown = Object.entries<FieldKind>(fields).map(([field, kind]) => `\`${field}\`${MARKS[kind]}`);
    return `| \`${name}\` | ${level} | ${sentence} | ${shown.join(', ')} |`;
  });
  return `${INTRODUCTION}\n| Event | Level | What it says | Fields |\n|---|---|---|---|\n${rows.join('\n')}\n`;
}

const MARKS: Readonly<Record<FieldKind, string>> = {
  plain: '',
  address: ' *address*',
  addresses: ' *addresses*',
  text: ' *text*',
  lines: ' *text*',
};
