/** Opens a connection to a server and brings it to where MAIL may be said. */
import { type Cause, type Conversation, type Place, type Probe, placesOf, type Server } from '@callahead/core';
import { type Greeted, greet } from './greeting.ts';
import type { Habits } from './habits.ts';
import { broken, type NotOpen } from './not-open.ts';
import { secure } from './securing.ts';

/** Connects. Never rejects; `commandTimeoutMs` is the conversation's. */
export type Connect = (
  to: Place,
  times: Readonly<{ timeoutMs: number; commandTimeoutMs: number }>,
) => Promise<
  | Readonly<{ kind: 'open'; conversation: Conversation }>
  | Readonly<{ kind: 'failed'; cause: 'connect' | 'timeout' | 'no-route'; detail: string }>
>;

/** MAIL may be said. */
export type Open = Omit<Greeted, 'kind'> & Readonly<{ kind: 'open'; lines: readonly string[] }>;

export type OpeningOptions = Readonly<{
  server: Server;
  probe: Probe;
  habits: Habits;
  deadlineMs: number;
  connect: Connect;
  now: () => number;
}>;

/** Tries the server's addresses in order, inside the deadline, which the untried ones share. */
export async function openServer(options: OpeningOptions): Promise<Open | NotOpen> {
  const { server, probe, deadlineMs, now } = options;
  const places = placesOf(server, probe.interface);
  let trouble: NotOpen = { ...notDialed('no-route', 'the server has no address'), during: 'conversation' };
  for (const [i, place] of places.entries()) {
    const untilMs = now() + (deadlineMs - now()) / (places.length - i);
    if (i > 0 && untilMs <= now()) break;
    // One loan, one connection: the last address lets go before the next one is tried.
    await trouble.gone;
    const name = server.kind === 'tcp' ? (server.targets[i]?.name ?? server.host) : 'localhost';
    const opened = await openPlace({ ...options, place, name, untilMs });
    if (opened.kind === 'open') return opened;
    trouble = worse(trouble, opened, i);
  }
  return trouble;
}

/** `name` led to the place. */
type PlaceOptions = OpeningOptions & Readonly<{ place: Place; name: string; untilMs: number }>;

/** TLS that is optional and breaks is no reason not to ask: then in plain text, on a connection of its own (SPEC 9.1), and for a while without trying. */
async function openPlace(options: PlaceOptions): Promise<Open | NotOpen> {
  const { probe, habits, untilMs, now } = options;
  const first = await openOnce(options, habits.breaksTls());
  const isBroken = first.kind === 'failed' && first.cause === 'tls' && probe.tls?.mode === 'optional';
  if (!isBroken || untilMs <= now()) return first;
  await first.gone;
  const second = await openOnce(options, true);
  if (second.kind === 'open') habits.brokeTls();
  return { ...second, lines: [...first.lines, ...second.lines] };
}

async function openOnce(options: PlaceOptions, avoidsTls: boolean): Promise<Open | NotOpen> {
  const { probe, connect, place, name, untilMs, now } = options;
  const timeoutMs = Math.max(1, Math.min(probe.connectTimeoutMs, untilMs - now()));
  const dialed = await connect(place, { timeoutMs, commandTimeoutMs: probe.commandTimeoutMs });
  if (dialed.kind === 'failed') {
    const trouble = notDialed(dialed.cause, `${nameOf(place)}: ${dialed.detail}`);
    // It was skipped: trying again changes nothing (SPEC 5.8).
    return dialed.cause === 'no-route' ? { ...trouble, during: 'conversation' } : trouble;
  }
  const greeted = await greet(dialed.conversation, probe, untilMs);
  if (greeted.kind !== 'greeted') return greeted;
  const ready = await secure(greeted, { probe, name, avoidsTls, untilMs, now });
  if (ready.kind !== 'greeted') return ready;
  const { conversation } = ready;
  const why = conversation.broken();
  if (why !== null) return broken(conversation, why);
  return { ...ready, kind: 'open', lines: conversation.transcript() };
}

function nameOf(place: Place): string {
  return place.kind === 'tcp' ? place.address : `unix:${place.path}`;
}

function notDialed(cause: Cause, detail: string): Extract<NotOpen, { kind: 'failed' }> {
  const lines = [`-- ${detail}`];
  return { kind: 'failed', cause, detail, during: 'dialing', lines, gone: Promise.resolve() };
}

/** Of two addresses' trouble the one that says more: a 4xx over a failure, words over silence. A loop is no trouble but a reason to skip, and so is an address that we cannot connect to from where we must. */
function worse(before: NotOpen, latest: NotOpen, i: number): NotOpen {
  if (i === 0) return latest;
  const lines = [...before.lines, ...latest.lines];
  return { ...(weight(before) > weight(latest) ? before : latest), lines, gone: latest.gone };
}

function weight(trouble: NotOpen): number {
  if (trouble.kind === 'temporary') return 3;
  if (trouble.cause === 'loop' || trouble.cause === 'no-route') return 0;
  return trouble.during === 'conversation' ? 2 : 1;
}
