import { answeredLine } from './answered.ts';
import type { Explanation, Reply, Step, Verdict } from './contract.ts';
import { Icon } from './icons.tsx';
import { Card, Facts, KindBadge } from './parts.tsx';
import { span, took } from './words.ts';

const DELIVERY = 'delivery.';

export function ExplanationShown({ explanation }: Readonly<{ explanation: Explanation }>) {
  const { recipient, steps, dialogue, reply } = explanation;
  return (
    <div class="explanation">
      <section class={`card reply reply-${Math.floor(reply.code / 100)}`} aria-label="Reply">
        <p class="muted">
          <span class="mono">{recipient}</span> gets
        </p>
        <p class="reply-line">
          <Icon name={iconOf(reply.code)} size={26} />
          <span class="mono">{textOf(reply)}</span>
        </p>
        <Facts facts={factsOf(explanation)} />
      </section>
      <div class="columns">
        <Card title="The way it took">
          <Path steps={steps} />
        </Card>
        <Card title="What was said">
          {dialogue.length === 0 ? <p class="muted">No server was asked.</p> : <Dialogue lines={dialogue} />}
        </Card>
      </div>
    </div>
  );
}

function iconOf(code: number) {
  if (code < 300) return 'valid';
  return code < 500 ? 'temporary' : 'refused';
}

/** In one line. */
export function textOf({ code, enhanced, text }: Reply): string {
  return [code, enhanced, text].filter((part) => part !== null && part !== '').join(' ');
}

function factsOf({ verdict, cached, delivery, listener, client }: Explanation) {
  return [
    ['Verdict', verdict === null ? 'nobody was asked' : <VerdictShown verdict={verdict} />],
    ['Kept in the cache', cached === null ? 'no' : `for ${span(cached.forMs / 1_000)}`],
    ['Mail goes to', deliveryOf(delivery)],
    ['Listener', listener],
    ['Client', client ?? 'nobody in particular'],
  ] as const;
}

function VerdictShown({ verdict }: Readonly<{ verdict: Verdict }>) {
  const { kind, server, source } = verdict;
  return (
    <>
      <KindBadge kind={kind} /> by {server === '' ? source : server}
      <Said verdict={verdict} />
    </>
  );
}

function Said({ verdict }: Readonly<{ verdict: Verdict }>) {
  switch (verdict.kind) {
    case 'valid':
      return null;
    case 'failed':
      return (
        <span class="block">
          {verdict.cause}: {verdict.detail}
        </span>
      );
    case 'unknown':
    case 'refused':
    case 'temporary':
      return <span class="mono block">{textOf(verdict.reply)}</span>;
  }
}

function deliveryOf(delivery: Explanation['delivery']): string {
  switch (delivery?.kind) {
    case 'host':
      return delivery.tiers.map((tier) => tier.join(', ')).join('; then ');
    case 'discard':
      return '/dev/null: it is thrown away';
    case 'none':
      return `no host: ${delivery.detail}`;
    case undefined:
      return 'not looked for';
  }
}

/** What is asked about comes before where the mail would go, each in the order of time. */
function Path({ steps }: Readonly<{ steps: readonly Step[] }>) {
  const isDelivery = ({ stage }: Step): boolean => stage.startsWith(DELIVERY);
  const last = steps.filter(({ stage }) => stage === 'reply');
  const ordered = [
    ...steps.filter((step) => !isDelivery(step) && step.stage !== 'reply'),
    ...steps.filter(isDelivery),
    ...last,
  ];
  return (
    <ol class="path">
      {ordered.map((step, place) => (
        <li key={place} class={isDelivery(step) ? 'of-delivery' : ''}>
          <h3>
            {nameOf(step.stage)}
            <span class="muted number">{took(step.atMs / 1_000)}</span>
          </h3>
          <Facts facts={Object.entries(step.facts)} />
        </li>
      ))}
    </ol>
  );
}

const STAGES: Readonly<Record<string, string>> = {
  address: 'Address',
  host: 'Host access',
  access: 'Recipient access',
  domain: 'Domain',
  ldap: 'LDAP',
  routes: 'SMTP routes',
  static: 'Static servers',
  dns: 'DNS',
  engine: 'Engine',
  canary: 'Canary',
  'call-ahead': 'Call-ahead',
  server: 'Server',
  keep: 'Cache',
  reply: 'Reply',
};

function nameOf(stage: string): string {
  const own = stage.startsWith(DELIVERY) ? stage.slice(DELIVERY.length) : stage;
  const name = STAGES[own] ?? own;
  return own === stage ? name : `Delivery: ${name}`;
}

function Dialogue({ lines }: Readonly<{ lines: readonly string[] }>) {
  const decisive = answeredLine(lines);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by keyboard
    <ol class="dialogue" tabIndex={0} aria-label="SMTP dialogue">
      {lines.map((line, place) => (
        <li key={place} class={lineClass(line, place === decisive)}>
          {line}
          {place === decisive ? <span class="unseen"> (this decided)</span> : null}
        </li>
      ))}
    </ol>
  );
}

function lineClass(line: string, isDecisive: boolean): string {
  if (isDecisive) return 'decisive';
  if (line.startsWith('C:')) return 'by-us';
  return line.startsWith('S:') ? 'by-server' : 'about';
}
