/** The canary of one profile: what is known for sure is asked again and again, and what the servers make of it is believed of them (SPEC 2, `canary`). */
import { type Canary, type Emit, fromCanonical, printReply, type Recipient, type Verdict } from '@callahead/core';

/** What a profile's canary has found out about a server. `reply`: what it said of the known-good recipient; empty where it does not refuse it. */
export type CanaryState = Readonly<{
  profile: string;
  server: string;
  suspended: boolean;
  catchAll: boolean;
  reply: string;
}>;

export type CanaryWatch = Readonly<{
  settings: Canary;
  /** Does the server refuse whom it has to know? */
  suspended(server: string): boolean;
  /** Does it accept whom nobody can know? */
  catchAll(server: string): boolean;
  states(): readonly CanaryState[];
  /** Settles when both have been asked about once, or are not any more. Never rejects. */
  asked: Promise<void>;
  /** Asks no more. What was asked before is answered, and changes nothing. */
  stop(): void;
}>;

export type CanaryOptions = Readonly<{
  profile: string;
  settings: Canary;
  /** Asks the servers, and no cache. Never rejects. */
  ask: (recipient: Recipient) => Promise<Verdict>;
  /** Forgets what was remembered of rejections: some are by a server that did not know its own. Never rejects. */
  forget: () => Promise<unknown>;
  emit: Emit;
  now: () => number;
  /** Calls back once, after so many milliseconds, unless the returned function was called before. */
  later: (afterMs: number, call: () => void) => () => void;
  random: () => number;
}>;

/** What was said of one server, and when it was last heard. */
type Known = { reply: string; catchAllMs: number | null; heardMs: number };

const MOST_SERVERS = 100;
/** A mark that nobody could renew is none any more. */
const MARK_LASTS_MS = 24 * 3_600_000;

export function watchCanary(options: CanaryOptions): CanaryWatch {
  const { profile, settings, ask, forget, emit, now, later, random } = options;
  const { valid, invalid, intervalMs } = settings;
  const lastsMs = Math.max(MARK_LASTS_MS, 3 * intervalMs);
  const servers = new Map<string, Known>();
  const { promise: asked, resolve: askedOnce } = Promise.withResolvers<void>();
  let stopped = false;
  let cancel = later(0, start);

  function start(): void {
    // It never rejects: `ask` does not.
    void round();
  }

  async function round(): Promise<void> {
    const startMs = now();
    const canaries = [askValid, askInvalid];
    // Static servers take turns: in one order each canary might always meet the same one.
    if (random() < 0.5) canaries.reverse();
    await Promise.all(canaries.map((one) => one()));
    askedOnce();
    if (stopped) return;
    cancel = later(Math.max(0, startMs + intervalMs - now()), start);
  }

  async function askValid(): Promise<void> {
    const verdict = await ask(valid);
    const known = heard(verdict);
    if (known === null || verdict.kind === 'temporary' || verdict.kind === 'failed') return unanswered(valid, verdict);
    const about = { profile, server: verdict.server, recipient: valid.address };
    if (verdict.kind !== 'valid') {
      known.reply = printReply(verdict.reply);
      emit({ event: 'canary.failed', ...about, kind: verdict.kind, reply: known.reply, ref: verdict.ref });
    } else if (known.reply !== '') {
      await forget();
      known.reply = '';
      emit({ event: 'canary.recovered', ...about });
    }
  }

  async function askInvalid(): Promise<void> {
    const recipient = randomised(invalid, random);
    const verdict = await ask(recipient);
    const known = heard(verdict);
    if (known === null || verdict.kind === 'temporary' || verdict.kind === 'failed')
      return unanswered(recipient, verdict);
    const about = { profile, server: verdict.server, recipient: recipient.address };
    const marked = isMarked(known);
    known.catchAllMs = verdict.kind === 'valid' ? now() : null;
    if (verdict.kind === 'valid' && !marked) emit({ event: 'canary.catch-all', ...about });
    if (verdict.kind !== 'valid' && marked) emit({ event: 'canary.selective', ...about });
  }

  function unanswered({ address: recipient }: Recipient, verdict: Verdict): void {
    if (stopped) return;
    const ref = verdict.kind === 'valid' ? '' : verdict.ref;
    emit({ event: 'canary.unanswered', profile, server: verdict.server, recipient, kind: verdict.kind, ref });
  }

  /** Only a server's own word is one about that server. The one that was silent longest makes room. */
  function heard({ source, server }: Verdict): Known | null {
    if (stopped || source !== 'server' || server === '') return null;
    const known = servers.get(server) ?? { reply: '', catchAllMs: null, heardMs: 0 };
    known.heardMs = now();
    servers.delete(server);
    servers.set(server, known);
    const [first] = servers.keys();
    if (servers.size > MOST_SERVERS && first !== undefined) servers.delete(first);
    return known;
  }

  function isMarked({ catchAllMs }: Known): boolean {
    return catchAllMs !== null && now() - catchAllMs < lastsMs;
  }

  function catchAll(server: string): boolean {
    const known = servers.get(server);
    return known !== undefined && isMarked(known);
  }

  return {
    settings,
    suspended: (server) => (servers.get(server)?.reply ?? '') !== '',
    catchAll,
    states: () =>
      [...servers].map(([server, { reply }]) => {
        return { profile, server, suspended: reply !== '', catchAll: catchAll(server), reply };
      }),
    asked,
    stop() {
      stopped = true;
      askedOnce();
      cancel();
    },
  };
}

/** Nobody has it, whatever anybody knows: a server that remembers its last answer, or was told the address, says nothing of itself by it. */
function randomised({ local, domain }: Recipient, random: () => number): Recipient {
  const word = Array.from({ length: 10 }, () => Math.floor(random() * 36).toString(36)).join('');
  const isPlain = /^[\w-]{1,40}$/.test(local);
  return fromCanonical(`${isPlain ? `${local}-` : ''}${word}@${domain}`);
}
