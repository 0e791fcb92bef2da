/** Recipients asked together in one transaction: RSET, MAIL and the RCPTs in one write where the server pipelines (RFC 2920). */
import type { Broken, Probe, Said } from '@callahead/core';
import type { Habits } from './habits.ts';
import { doubt, judgeRecipient, judgeServer, type Meaning } from './judge.ts';
import type { Open } from './opening.ts';
import { anew, attemptDeadlineMs, note, type Outcome, type Query, type Tell, type Told, timedOut } from './query.ts';
import { isTraced } from './traces.ts';

/** An open transaction; it stays open across batches. `rcpts` were asked in it, `lines` is its MAIL and the answer. */
type Transaction = {
  readonly sender: string;
  readonly utf8: boolean;
  readonly lines: readonly string[];
  rcpts: number;
  accepted: number;
};

/** So often a session reports that its server answers. */
const ANSWERED_MS = 250;

/** How a session stands. */
export type Standing = {
  transaction: Transaction | null;
  asked: number;
  rejected: number;
  /** Replies to RCPT, and when that was last reported. */
  replies: number;
  answeredMs: number;
  /** No more is asked: something happened after which a connection is not used. */
  worn: boolean;
  /** Our own time was over, so the close is not the server's. */
  expired: boolean;
};

export type Turn = Readonly<{
  opened: Open;
  probe: Probe;
  habits: Habits;
  now: () => number;
  answered: () => void;
  standing: Standing;
  settle: Tell;
  /** A pooled connection that dies before it says anything was dead already (SPEC 4.11). */
  foundDead: () => boolean;
}>;

type Reply = Extract<Said, { kind: 'reply' }>;
type Say = (i: number) => Promise<Said>;

/** Asks a group that fits into one transaction; returns those that must be asked in another one. */
export async function askTogether(turn: Turn, group: readonly Query[]): Promise<readonly Query[]> {
  const { standing, probe, habits, opened } = turn;
  const utf8 = group[0]?.utf8 === true;
  if (utf8 && !opened.capabilities.smtpUtf8) {
    for (const query of group) turn.settle(query, withoutUtf8(turn, query));
    return [];
  }
  const before: string[] = [];
  const sender = habits.sender(probe);
  if (wasLost(group[0]) || group.length > roomIn(standing.transaction, turn, utf8)) {
    if (standing.transaction !== null) before.push('RSET');
    before.push(`MAIL FROM:<${sender}>${utf8 ? ' SMTPUTF8' : ''}`);
  }
  const sentMs = turn.now();
  const say = speaker(turn, [...before, ...group.map(rcpt)]);
  if (before.length > 0) {
    const begun = await begin(turn, group, before, say);
    if (begun.kind === 'over') return begun.unasked;
    standing.transaction = { sender, utf8, lines: begun.lines, rcpts: 0, accepted: 0 };
  }
  if (standing.transaction === null) throw new Error('a RCPT without a transaction');
  return readReplies(turn, standing.transaction, group, (i) => say(before.length + i), sentMs);
}

/** How many more recipients may be asked in the transaction that is open; 0: they want another one. */
export function roomIn(
  open: Transaction | null,
  { probe, habits }: Pick<Turn, 'probe' | 'habits'>,
  utf8: boolean,
): number {
  if (open === null || utf8 || open.utf8 || open.sender !== habits.sender(probe)) return 0;
  return Math.max(0, habits.transactionLimit(probe) - open.rcpts);
}

/** A connection was lost under it, perhaps because of who shared its transaction: the second time it has one of its own. */
export function wasLost(query: Query | undefined): boolean {
  return query !== undefined && query.manner.kind !== 'any' && query.manner.lost;
}

/** Commands in one write, or each when its turn comes where the server does not pipeline. */
function speaker({ opened, standing }: Turn, commands: readonly string[]): Say {
  const { conversation, capabilities } = opened;
  if (capabilities.pipelining) {
    standing.asked += commands.filter(isRcpt).length;
    const said = conversation.cmds(commands, Number.POSITIVE_INFINITY);
    return (i) => said[i] ?? Promise.reject(new Error(`there is no command ${i}`));
  }
  return (i) => {
    const command = commands[i] ?? '';
    if (isRcpt(command)) standing.asked++;
    return conversation.cmd(command, Number.POSITIVE_INFINITY);
  };
}

type Begun =
  | Readonly<{ kind: 'begun'; lines: readonly string[] }>
  | Readonly<{ kind: 'over'; unasked: readonly Query[] }>;

/** RSET where a transaction is open, and MAIL. When one is refused, what the server says to the RCPTs is not read (SPEC 4.11). */
async function begin(turn: Turn, group: readonly Query[], commands: readonly string[], say: Say): Promise<Begun> {
  const { standing, probe, habits, opened } = turn;
  const served = standing.replies > 0;
  const sender = habits.sender(probe);
  standing.transaction = null;
  let said = await say(0);
  if (commands.length === 2 && said.kind === 'reply') {
    // A refused RSET says nothing about a recipient (SPEC 8.6).
    if (said.reply.code < 200 || said.reply.code > 299) return over((query) => anew(query, false));
    said = await say(1);
  }
  const trouble = said.kind === 'reply' ? judgeServer('mail', said.reply) : said;
  const lines = [`C: ${commands.at(-1)}`, ...lastWords(said)];
  if (trouble === null) return { kind: 'begun', lines };
  for (const query of group) note(query, [...opened.lines, ...lines]);
  // A connection that served before and is gone now says nothing about the server: it is asked anew (SPEC 4.11).
  if (served && isClose(said)) return over((query) => (standing.expired ? late(turn, query) : anew(query, false)));
  if (trouble.kind === 'broken') return over((query) => (standing.expired ? late(turn, query) : ended(trouble)));
  if (trouble.kind === 'temporary') return over(() => trouble);
  if (habits.refusesSender(probe, sender)) return { kind: 'over', unasked: group };
  return over(() => ({ ...trouble, during: 'conversation' }));

  function over(told: (query: Query) => Told): Begun {
    standing.worn = true;
    for (const query of group) turn.settle(query, told(query));
    return { kind: 'over', unasked: [] };
  }
}

/** Reads the replies to the RCPTs in order. A 5xx waits for what comes behind it (SPEC 4.5); the others do not wait for it. */
async function readReplies(
  turn: Turn,
  at: Transaction,
  group: readonly Query[],
  say: Say,
  sentMs: number,
): Promise<readonly Query[]> {
  const { standing, probe, habits, opened } = turn;
  const weighing: Promise<void>[] = [];
  const unasked: Query[] = [];
  let heardMs = sentMs;
  let next = say(0);
  for (const [i, query] of group.entries()) {
    const said = await next;
    const sinceMs = heardMs;
    heardMs = turn.now();
    if (said.kind === 'reply') heard(turn, heardMs);
    if (isClose(said) || said.kind === 'broken') {
      lose(turn, at, group.slice(i), said);
      break;
    }
    const { code } = said.reply;
    const meaning = judgeRecipient(said.reply, at.rcpts === 0, probe.unknownRecipientCodes);
    const place: Place = { acceptedBefore: at.accepted > 0, alone: standing.asked === 1 };
    at.rcpts++;
    if (code < 300) at.accepted++;
    if (code >= 500) standing.rejected++;
    habits.answered(code >= 500, heardMs - sinceMs);
    if (meaning === 'enough') habits.saidEnough(at.accepted);
    if (meaning === 'protocol') standing.worn = true;
    const again = meaning === 'enough' || (meaning === 'sender' && habits.refusesSender(probe, at.sender));
    if (again) unasked.push(query);
    // Nothing more goes into a transaction that is full or a session that is over; what has left already is read.
    const goesOn = opened.capabilities.pipelining || (!again && !standing.worn && !habits.rejectsSlowly());
    if (i + 1 < group.length && goesOn) next = say(i + 1);
    if (!again && code < 500) turn.settle(query, outcomeOf(turn, at, query, meaning, said));
    if (!again && code >= 500) weighing.push(weigh(turn, at, query, meaning, said, place));
    if (!goesOn) {
      unasked.push(...group.slice(i + 1));
      break;
    }
  }
  await Promise.all(weighing);
  return unasked;
}

type Place = Readonly<{ acceptedBefore: boolean; alone: boolean }>;

async function weigh(
  turn: Turn,
  at: Transaction,
  query: Query,
  meaning: Meaning,
  said: Reply,
  place: Place,
): Promise<void> {
  const outcome = outcomeOf(turn, at, query, meaning, said);
  // What it gets alone is final.
  if (query.manner.kind === 'alone') {
    turn.settle(query, outcome);
    return;
  }
  const behind = await said.behind();
  const why = doubt({
    ...place,
    closedBehind:
      behind === 'close' && !turn.standing.expired && turn.opened.conversation.broken()?.cause === 'connect',
    sender: at.sender,
    sharedIsSafe: turn.habits.sharedIsSafe(),
  });
  if (why === null) turn.settle(query, outcome);
  else {
    const suspect = { outcome, reply: said.reply, doubt: why };
    turn.settle(query, { kind: 'again', manner: { kind: 'alone', lost: false, suspect } });
  }
}

function outcomeOf(turn: Turn, at: Transaction, query: Query, meaning: Meaning, said: Reply): Outcome {
  const { reply } = said;
  if (meaning !== 'valid' || isTraced(query))
    note(query, [...turn.opened.lines, ...at.lines, `C: ${rcpt(query)}`, ...lastWords(said)]);
  const words = `${reply.code} ${reply.text}`;
  switch (meaning) {
    case 'valid':
    case 'unknown':
    case 'refused':
    case 'temporary':
      return { kind: meaning, reply };
    case 'sender':
      return { kind: 'failed', cause: 'policy', detail: `our sender is refused: ${words}`, during: 'conversation' };
    case 'enough':
    case 'leaving':
    case 'protocol':
      return { kind: 'failed', cause: 'protocol', detail: `no answer to RCPT: ${words}`, during: 'conversation' };
  }
}

/** The connection is done, and these recipients have no reply (SPEC 4.4). */
function lose(turn: Turn, at: Transaction, lost: readonly Query[], said: Said): void {
  const { standing, opened } = turn;
  const silent = !isClose(said);
  standing.worn = true;
  for (const [i, query] of lost.entries()) {
    note(query, [...opened.lines, ...at.lines, `C: ${rcpt(query)}`, ...lastWords(said)]);
    turn.settle(query, told(i, query));
  }

  function told(i: number, query: Query): Told {
    if (standing.expired) return late(turn, query);
    if (turn.foundDead() && !silent) return anew(query, false);
    const lostBefore = query.manner.kind !== 'any' && query.manner.lost;
    // Silence or garbage is the answer to the first one; the others may do better if this server answered anybody.
    const its = silent && (i === 0 || standing.replies === 0);
    return lostBefore || its ? ended(said) : anew(query, true);
  }
}

/** The server said 421 or closed: this connection is over, the server need not be. */
function isClose(said: Said): boolean {
  if (said.kind === 'reply') return said.reply.code === 421;
  return said.cause === 'connect' || said.reply?.code === 421;
}

function ended(said: Said | Broken): Outcome {
  if (said.reply !== null && said.reply.code === 421) return { kind: 'temporary', reply: said.reply };
  if (said.kind === 'reply') throw new Error('a reply that ends nothing');
  return { kind: 'failed', cause: said.cause, detail: said.detail, during: 'conversation' };
}

function late({ now }: Turn, query: Query): Told {
  if (attemptDeadlineMs(query) > now()) return anew(query, false);
  return timedOut;
}

function withoutUtf8({ opened }: Turn, query: Query): Outcome {
  note(query, [...opened.lines, '-- SMTPUTF8 is not offered']);
  if (opened.hello === 'helo') {
    return { kind: 'failed', cause: 'policy', detail: 'SMTPUTF8 needs EHLO', during: 'conversation' };
  }
  return { kind: 'refused', reply: { code: 553, enhanced: '5.6.7', text: 'UTF-8 addresses are not supported' } };
}

function heard({ standing, answered }: Turn, nowMs: number): void {
  standing.replies++;
  if (standing.replies > 1 && nowMs < standing.answeredMs + ANSWERED_MS) return;
  standing.answeredMs = nowMs;
  answered();
}

function lastWords(said: Said): readonly string[] {
  if (said.kind === 'broken') return [`-- ${said.detail}`];
  return said.lines.map((text, i) => `S: ${said.reply.code}${i + 1 < said.lines.length ? '-' : ' '}${text}`);
}

function rcpt(query: Query): string {
  return `RCPT TO:<${query.recipient}>`;
}

function isRcpt(command: string): boolean {
  return command.startsWith('RCPT TO:');
}
