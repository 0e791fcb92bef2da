/** The routes of docs/api.md. */
import type { Emit, ListenerSettings, Profile, Recipient } from '@callahead/core';
import type { FastifyInstance } from 'fastify';
import { clientIn, countIn, type Fields, fieldsOf, flagIn, flushIn, nameIn, recipientIn, textIn } from './fields.ts';
import { METRICS_TYPE, metricsText } from './metrics.ts';
import type { Operations } from './operations.ts';
import { Problem, reloadRefused, wrong } from './problem.ts';
import type { Ration } from './ration.ts';
import type { Recent } from './recent.ts';
import { entryShown, verificationShown } from './shown.ts';
import { type Facts, statusOf } from './status.ts';
import type { Streams } from './streams.ts';

export type ApiOptions = Readonly<{
  operations: Operations;
  facts: () => Promise<Facts>;
  recent: Recent;
  streams: Streams;
  /** Of verify and explain together: both tell who has a mailbox. */
  ration: Ration;
  emit: Emit;
  now: () => number;
}>;

const OPEN = { config: { access: 'open' } } as const;
const READ = { config: { access: 'read' } } as const;
const ACT = { config: { access: 'act' } } as const;

const FILTERS = ['kind', 'outcome', 'profile', 'listener', 'server', 'recipient'] as const;
const MOST_ROWS = 1_000;

export function addRoutes(app: FastifyInstance, options: ApiOptions): void {
  addProbes(app, options);
  addReading(app, options);
  addActing(app, options);
}

function addProbes(app: FastifyInstance, { operations, facts }: ApiOptions): void {
  app.get('/healthz', OPEN, async () => ({ status: 'ok' }));
  app.get('/readyz', OPEN, async (_, reply) => {
    const status = operations.state();
    return reply.code(status === 'ready' ? 200 : 503).send({ status });
  });
  app.get('/metrics', READ, async (_, reply) => reply.type(METRICS_TYPE).send(await metricsText(await facts())));
}

function addReading(app: FastifyInstance, { operations, facts, recent, streams }: ApiOptions): void {
  app.get('/api/v1/status', READ, async () => statusOf(await facts()));
  app.get('/api/v1/configuration', READ, async () => ({ configuration: operations.configuration().written }));
  app.get('/api/v1/verdicts', READ, async ({ query }) => {
    const fields = fieldsOf(query, [...FILTERS, 'limit', 'before']);
    const wish = (field: (typeof FILTERS)[number]): string | null => textIn(fields, field, 'a text');
    const wanted = {
      kind: wish('kind'),
      outcome: wish('outcome'),
      profile: wish('profile'),
      listener: wish('listener'),
      server: wish('server'),
      recipient: wish('recipient')?.toLowerCase() ?? null,
    };
    const limit = countIn(fields, 'limit', 100, 1, MOST_ROWS);
    const before = countIn(fields, 'before', Number.MAX_SAFE_INTEGER, 1, Number.MAX_SAFE_INTEGER);
    return { verdicts: recent.find(wanted, limit, before), total: recent.total() };
  });
  app.get('/api/v1/cache', READ, async ({ query }) => {
    const recipient = recipientIn(fieldsOf(query, ['recipient']));
    return { recipient: recipient.address, entries: (await operations.lookup(recipient)).map(entryShown) };
  });
  // Not for HEAD, whose answer would never end.
  app.get('/api/v1/events', { ...READ, exposeHeadRoute: false }, async (_, reply) => {
    if (streams.full())
      throw new Problem('unavailable', 'too many event streams are open: expected one that is closed');
    const { raw } = reply;
    reply.hijack();
    raw.writeHead(200, { ...reply.getHeaders(), 'content-type': 'text/event-stream; charset=utf-8' } as Record<
      string,
      string
    >);
    streams.open(raw);
  });
}

function addActing(app: FastifyInstance, { operations, ration, emit, now }: ApiOptions): void {
  function takeRation(): void {
    const taken = ration.take();
    if (taken.kind === 'taken') return;
    const headers = { 'retry-after': String(taken.seconds) };
    throw new Problem(
      'too-many',
      `verify and explain are rationed: expected a pause of ${taken.seconds} s`,
      null,
      headers,
    );
  }

  app.post('/api/v1/cache/flush', ACT, async ({ body, ip }) => {
    const what = flushIn(body);
    const about = 'value' in what ? `${what.kind} ${what.value}` : what.kind;
    emit({ event: 'admin.acted', action: 'flush', client: ip, about });
    return { forgotten: await operations.flush(what) };
  });
  app.post('/api/v1/verify', ACT, async ({ body, ip }) => {
    const fields = fieldsOf(body, ['recipient', 'listener', 'profile']);
    const recipient = recipientIn(fields);
    const { profile, listener } = chooseProfile(fields, recipient, operations);
    takeRation();
    emit({ event: 'admin.acted', action: 'verify', client: ip, about: recipient.address });
    const startedMs = now();
    const verdict = await operations.verify({ recipient, profile, listener });
    const { server } = verdict;
    const catchAll = operations.canaries().some((one) => {
      return one.catchAll && one.profile === profile.name && one.server === server;
    });
    return verificationShown(recipient, profile, verdict, { catchAll, seconds: (now() - startedMs) / 1_000 });
  });
  app.post('/api/v1/explain', ACT, async ({ body, ip }) => {
    const fields = fieldsOf(body, ['recipient', 'listener', 'client', 'dry']);
    const address = textIn(fields, 'recipient', 'an address');
    if (address === null) throw wrong('recipient', undefined, 'an address');
    const { listeners } = operations.configuration();
    const settings = nameIn(fields, 'listener', listeners) ?? listeners[0];
    if (settings === undefined) throw new Problem('bad-request', 'the configuration has no listener');
    const question = { address, settings, client: clientIn(fields), dry: flagIn(fields, 'dry') };
    takeRation();
    emit({ event: 'admin.acted', action: 'explain', client: ip, about: printable(address) });
    return operations.explain(question);
  });
  app.post('/api/v1/reload', ACT, async ({ body, ip }) => {
    fieldsOf(body, []);
    emit({ event: 'admin.acted', action: 'reload', client: ip, about: '' });
    const reloaded = await operations.reload();
    if (reloaded.kind === 'refused') throw reloadRefused(reloaded.problems);
    const { kind: _, ...changes } = reloaded;
    return changes;
  });
}

/** The profile that was named, or that of the listener that was named, or of the first one that has any. */
function chooseProfile(
  fields: Fields,
  recipient: Recipient,
  operations: Operations,
): Readonly<{ profile: Profile; listener: string }> {
  const { listeners, profiles } = operations.configuration();
  const named = nameIn(fields, 'profile', [...profiles.values()]);
  if (named !== null && fields.listener !== undefined)
    throw wrong('profile', fields.profile, 'a listener or a profile, not both');
  const usesNamed = ({ profile }: ListenerSettings): boolean => profile?.name === named?.name;
  if (named !== null) return { profile: named, listener: listeners.find(usesNamed)?.name ?? '' };
  const chosen = nameIn(fields, 'listener', listeners);
  const listener = chosen ?? listeners.find(({ profile }) => profile !== null);
  const access = listener?.recipientAccess.decide(recipient);
  const own = access?.kind === 'accept' ? access.profile : null;
  const profile = own ?? listener?.profile ?? null;
  if (listener === undefined || profile === null)
    throw wrong('listener', fields.listener, 'a listener with a callAheadProfile, or a profile');
  return { profile, listener: listener.name };
}

/** An address that nobody has parsed, fit for a log. */
function printable(text: string): string {
  return text.slice(0, 320).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
}
