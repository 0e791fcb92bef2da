import {
  type DeliveryRequest,
  type Flush,
  failed,
  type Hop,
  hostPort,
  type LdapRoutingSettings,
  oneLine,
  type Recipient,
  type Routing,
} from '@callahead/core';
import { by } from './deadline.ts';
import { hopOf } from './domain.ts';
import type { LdapAnswer, LdapFacts, LdapQuestion } from './ldap-answers.ts';
import type { Reading, Refusal } from './ldap-entries.ts';
import type { Borrowed } from './shared.ts';
import type { KnownDirectory, RoutingSources } from './sources.ts';
import type { Hops } from './stage.ts';

type Known = Extract<Routing, { kind: 'known' }>;
type LdapStage = (at: Hops, request: DeliveryRequest) => Hops | Known | Promise<Hops | Known>;

/** The stage that asks directories, for the query and for the delivery, over the same answers. */
export type Ldap = Readonly<{
  ask: LdapStage;
  deliver: LdapStage;
  flush(what: Flush): void;
  close(): Promise<void>;
}>;

/** `routings`: what is asked for the recipients of a listener, by its name. `directory`: lends the one that a routing asks. */
export type LdapOptions = Readonly<{
  routings: ReadonlyMap<string, LdapRoutingSettings>;
  directory: RoutingSources['directory'];
  now(): number;
}>;

/** One pool and one memory for each directory, whichever listeners and questions share it. */
export function createLdap({ routings, directory, now }: LdapOptions): Ldap {
  const opened = new Map<LdapRoutingSettings['server'], Borrowed<KnownDirectory>>();
  for (const { server } of routings.values()) if (!opened.has(server)) opened.set(server, directory(server));

  const stage =
    (purpose: Purpose): LdapStage =>
    (at, request) => {
      const routing = routings.get(request.listener);
      const answers = routing === undefined ? undefined : opened.get(routing.server)?.thing.answers;
      if (routing === undefined || answers === undefined) return at;
      const wanted = wantedBy(purpose, request);
      if (wanted === 'address' && routing.mailRoutingAddressAttribute === null) return at;
      const question = questionAbout(routing, at.recipient);
      const conclude = (answer: LdapAnswer): Hops | Known => {
        const to = proceed(at, answer, wanted, routing);
        request.recorder?.({ stage: 'ldap', atMs: now(), facts: factsOf(routing, question, answer, to) });
        return to;
      };
      const answer = answers.find(routing, question);
      if (!(answer instanceof Promise)) return conclude(answer);
      return by(answer, request.deadlineMs, now, late).then(conclude);
    };

  return {
    ask: stage('ask'),
    deliver: stage('deliver'),
    flush(what) {
      for (const { thing } of opened.values()) thing.answers.flush(what);
    },
    async close() {
      await Promise.all([...opened.values()].map((one) => one.giveBack()));
    },
  };
}

type Purpose = 'ask' | 'deliver';
/** Which hosts count: those to ask, those that take the mail, or none, only the address that takes the recipient's place. */
type Wanted = 'callAhead' | 'mailHost' | 'address';

/** SPEC 5.2: static servers are asked whatever hosts the directory names. SPEC 7.1: mail never goes to the hosts that are only asked. */
function wantedBy(purpose: Purpose, request: DeliveryRequest): Wanted {
  if (purpose === 'deliver') return 'mailHost';
  return request.profile?.servers.kind === 'static' ? 'address' : 'callAhead';
}

function questionAbout(routing: LdapRoutingSettings, recipient: Recipient): LdapQuestion {
  const base = routing.base.render(recipient);
  const filter = routing.filter.render(recipient);
  const ofDomain = [routing.base, routing.filter].some(({ tokens }) => tokens.has('a') || tokens.has('d'));
  const { name, scope, mailHostAttribute, mailRoutingAddressAttribute, callAheadAttribute } = routing;
  // All that an answer depends on: a reload may change a routing that keeps its name. No part holds a NUL: templates escape it.
  const key = [name, scope, mailHostAttribute, mailRoutingAddressAttribute, callAheadAttribute, base, filter].join(
    '\0',
  );
  return { key, base, filter, domain: ofDomain ? recipient.domain : null };
}

function late(): LdapAnswer {
  return { kind: 'failed', detail: 'no answer in time' };
}

function proceed(at: Hops, answer: LdapAnswer, wanted: Wanted, routing: LdapRoutingSettings): Hops | Known {
  if (answer.kind === 'failed') return fail(`directory ${routing.server.name}: ${answer.detail}`);
  const { address } = answer.facts;
  const hosts = hostsIn(answer.facts, wanted);
  if (address.kind === 'refused') return fail(refusalText(address.refusal));
  if (hosts.kind === 'refused') return fail(refusalText(hosts.refusal));
  const recipient = address.kind === 'value' ? address.value : at.recipient;
  if (hosts.kind === 'value') return { ...at, recipient, named: 'operator', hops: hosts.value };
  if (address.kind === 'none') return at;
  return { ...at, recipient, named: 'recipient', hops: [hopOf(recipient.domain)] };
}

function hostsIn(facts: LdapFacts, wanted: Wanted): Reading<readonly Hop[]> {
  switch (wanted) {
    case 'address':
      return { kind: 'none' };
    case 'mailHost':
      return facts.mailHost;
    case 'callAhead':
      return facts.callAhead.kind === 'none' ? facts.mailHost : facts.callAhead;
  }
}

function fail(detail: string): Known {
  return { kind: 'known', verdict: failed('ldap', detail) };
}

function refusalText({ dn, attribute, value, reason }: Refusal): string {
  return `entry ${dn}: ${attribute} ${JSON.stringify(value)} ${reason}`;
}

function factsOf(
  routing: LdapRoutingSettings,
  { base, filter }: LdapQuestion,
  answer: LdapAnswer,
  to: Hops | Known,
): Readonly<Record<string, string>> {
  const asked = {
    routing: routing.name,
    server: routing.server.name,
    base: oneLine(base),
    scope: routing.scope,
    filter: oneLine(filter),
    source: answer.kind === 'facts' ? answer.source : 'none',
    entries: answer.kind === 'facts' ? oneLine(answer.facts.dns.join('; ')) || 'none' : 'none',
  };
  if (to.kind === 'known') {
    const detail = to.verdict.kind === 'failed' ? to.verdict.detail : '';
    return { ...asked, answer: `failed: ${oneLine(detail)}` };
  }
  const hosts = to.named === 'operator' ? to.hops.map(describe).join(', ') : 'none';
  return { ...asked, answer: hosts, recipient: oneLine(to.recipient.address) };
}

function describe(hop: Hop): string {
  return hop.port === null ? hop.name : hostPort(hop.name, hop.port);
}
