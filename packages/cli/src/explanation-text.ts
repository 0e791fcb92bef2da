import { type Explanation, printReply, type Verdict } from '@callahead/core';
import type { Tone } from './tone.ts';
import { printable } from './visible.ts';

/** Puts a colour on text that is fit to print already. */
export type Paint = (tone: Tone, text: string) => string;

export const unpainted: Paint = (_, text) => text;

const DELIVERY = 'delivery.';
/** Stages that the last section tells in words. */
const CONCLUSIONS: ReadonlySet<string> = new Set(['keep', 'reply']);
const STAGE_WIDTH = 18;
const TIME_WIDTH = 9;
const FACT_WIDTH = 11;

/** An explanation for people: one fact a line, the dialogue as it was spoken, then what it comes to. Ends with a line end. */
export function explanationText(explanation: Explanation, paint: Paint): string {
  const { recipient, listener, client, steps, dialogue } = explanation;
  const toAsk = steps.filter(({ stage }) => !stage.startsWith(DELIVERY) && !CONCLUSIONS.has(stage));
  const toDeliver = steps.filter(({ stage }) => stage.startsWith(DELIVERY));
  const sections = [
    table({ recipient, listener, ...(client === null ? {} : { client }) }, paint),
    toAsk.flatMap((step) => stepLines(step, paint)),
    toDeliver.flatMap((step) => stepLines(step, paint)),
    dialogue.map((line) => dialogueLine(line, paint)),
    [...table(outcome(explanation), paint), replyLine(explanation, paint)],
  ];
  const texts = sections.filter((lines) => lines.length > 0).map((lines) => lines.join('\n'));
  return `${texts.join('\n\n')}\n`;
}

/** The same as JSON, on lines of its own, with nothing in it that a terminal obeys. */
export function explanationJson(explanation: Explanation): string {
  const rounded = explanation.steps.map((step) => ({ ...step, atMs: Number(step.atMs.toFixed(1)) }));
  const lines = JSON.stringify({ ...explanation, steps: rounded }, null, 2).split('\n');
  return `${lines.map(printable).join('\n')}\n`;
}

function stepLines({ stage, atMs, facts }: Explanation['steps'][number], paint: Paint): string[] {
  return Object.entries(facts).map(([name, fact], i) => {
    const time = i === 0 ? `${atMs.toFixed(1)} ms` : '';
    const label = i === 0 ? printable(stage) : '';
    const margin = `${paint('faint', time.padStart(TIME_WIDTH))}  ${paint('strong', label.padEnd(STAGE_WIDTH))}`;
    return `${margin}${printable(name).padEnd(FACT_WIDTH)}  ${printable(fact)}`.trimEnd();
  });
}

function dialogueLine(line: string, paint: Paint): string {
  return `  ${paint(line.startsWith('--') ? 'faint' : 'plain', printable(line))}`;
}

function table(rows: Readonly<Record<string, string>>, paint: Paint): string[] {
  return Object.entries(rows).map(
    ([name, value]) => `${paint('strong', name.padEnd(TIME_WIDTH))}  ${printable(value)}`,
  );
}

function outcome({ verdict, cached, delivery }: Explanation): Readonly<Record<string, string>> {
  return {
    verdict: verdict === null ? 'nobody was asked' : verdictText(verdict),
    cached: cached === null ? 'no' : `for ${duration(cached.forMs)}`,
    delivery: delivery === null ? 'not looked for' : deliveryText(delivery),
  };
}

function replyLine({ reply, exit }: Explanation, paint: Paint): string {
  const tone = ({ 0: 'good', 1: 'bad', 3: 'unsure' } as const)[exit];
  return `${paint('strong', 'reply'.padEnd(TIME_WIDTH))}  ${paint(tone, printable(printReply(reply)))}`;
}

function verdictText(verdict: Verdict): string {
  const from = verdict.server === '' ? `by ${verdict.source}` : `by ${verdict.server}`;
  switch (verdict.kind) {
    case 'valid':
      return `valid, ${from}`;
    case 'failed':
      return `failed (${verdict.cause}), ${from}: ${verdict.detail}`;
    case 'unknown':
    case 'refused':
    case 'temporary':
      return `${verdict.kind}, ${from}: ${printReply(verdict.reply)}`;
  }
}

function deliveryText(delivery: NonNullable<Explanation['delivery']>): string {
  switch (delivery.kind) {
    case 'host':
      return `${delivery.tiers.map((tier) => tier.join(', ')).join('; then ')} for ${delivery.recipient}`;
    case 'discard':
      return '/dev/null: accepted and thrown away';
    case 'none':
      return `no host: ${delivery.detail}`;
  }
}

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** As the configuration writes durations: the largest unit that fits it whole. */
function duration(ms: number): string {
  const [name, size] = UNITS.find(([, unit]) => ms % unit === 0) ?? ['ms', 1];
  return `${ms / size}${name}`;
}
