/** How long do a million recipient patterns and 40,000 SMTP routes take to load, how much memory do they keep, and what does a look-up cost? (60 s) */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Configuration, Recipient } from '@callahead/core';
import { loadConfiguration } from '@callahead/core/config';
import { findRoute } from '../packages/routing/src/smtp-routes.ts';
import { answer } from './support/answer.ts';
import { median } from './support/statistics.ts';

const LOOKUPS = 200_000;
const ROUNDS = 5;

// Heap in use is what is left after a collection, which takes a flag to ask for.
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

type Row = Readonly<{
  name: string;
  sections: Readonly<Record<string, unknown>>;
  lines: number;
  line(i: number): string;
  lookUp(configuration: Configuration, i: number): void;
}>;

const LISTENER = { type: 'public', listen: '127.0.0.1:0', recipientAccess: 'ours', relay: false };
const accepting = { recipientAccess: { ours: [{ matchFile: 'table', action: 'accept' }] } };

function decide(configuration: Configuration, recipient: Recipient): void {
  const decision = configuration.listeners[0]?.recipientAccess.decide(recipient);
  if (decision?.kind !== 'accept') throw new Error(`${recipient.address} is not in the table`);
}

function recipientAt(local: string, domain: string): Recipient {
  return { address: `${local}@${domain}`, local, domain, utf8: false };
}

function addresses(lines: number): Row {
  return {
    name: `${lines.toLocaleString('en')} addresses`,
    sections: accepting,
    lines,
    line: (i) => `first.last${i}@dept${i % 500}.example.com`,
    lookUp: (configuration, i) => decide(configuration, recipientAt(`first.last${i}`, `dept${i % 500}.example.com`)),
  };
}

const rows: readonly Row[] = [
  addresses(1_000),
  addresses(1_000_000),
  {
    name: '1,000,000 domains',
    sections: accepting,
    lines: 1_000_000,
    line: (i) => `customer-${i}.hosted.example`,
    lookUp: (configuration, i) => decide(configuration, recipientAt('info', `customer-${i}.hosted.example`)),
  },
  {
    name: '40,000 routes',
    sections: { recipientAccess: { ours: [{ match: 'example.com', action: 'accept' }] }, smtpRoutesFile: 'table' },
    lines: 40_000,
    line: (i) => `customer-${i}.example: mail${i % 50}.internal:2525 /pri=10, backup.internal /pri=20`,
    lookUp(configuration, i) {
      const found = findRoute(configuration.smtpRoutes, `customer-${i}.example`);
      if (found === null) throw new Error(`customer-${i}.example has no route`);
    },
  },
];

const out = [
  `median of ${ROUNDS} loads`,
  '',
  '| | load, s | heap kept, MB | octets an entry | look-up, µs |',
  '|---|---|---|---|---|',
];
const folder = mkdtempSync(join(tmpdir(), 'callahead-bench-'));
for (const row of rows) out.push(await measure(row));
rmSync(folder, { recursive: true });
answer('tables', out.join('\n'));

async function measure({ name, sections, lines, line, lookUp }: Row): Promise<string> {
  const file = join(folder, 'callahead.yaml');
  writeFileSync(file, JSON.stringify({ hostname: 'gateway.example', listeners: { inbound: LISTENER }, ...sections }));
  writeFileSync(join(folder, 'table'), Array.from({ length: lines }, (_, i) => `${line(i)}\n`).join(''));
  const rounds: Round[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await once(file, lookUp, lines));
  const octets = median(rounds.map((round) => round.octets));
  const cells = [
    median(rounds.map((round) => round.seconds)).toFixed(2),
    (octets / 1024 ** 2).toFixed(1),
    Math.round(octets / lines).toString(),
    median(rounds.map((round) => round.microseconds)).toFixed(2),
  ];
  return `| ${[name, ...cells].join(' | ')} |`;
}

type Round = Readonly<{ seconds: number; octets: number; microseconds: number }>;

/** A function of its own, so that nothing of one round lives in the next. */
async function once(file: string, lookUp: Row['lookUp'], lines: number): Promise<Round> {
  // What the last round left is let go of only when its frames are.
  await setImmediate();
  collect();
  const before = process.memoryUsage().heapUsed;
  const startMs = performance.now();
  const { configuration } = await loadConfiguration(file, { env: {} });
  const seconds = (performance.now() - startMs) / 1000;
  await setImmediate();
  collect();
  const octets = process.memoryUsage().heapUsed - before;
  return { seconds, octets, microseconds: timeLookups((i) => lookUp(configuration, i), lines) };
}

/** All over the table, so that no processor cache helps. */
function timeLookups(lookUp: (i: number) => void, lines: number): number {
  const startMs = performance.now();
  for (let count = 0; count < LOOKUPS; count++) lookUp((count * 7_919) % lines);
  return ((performance.now() - startMs) * 1000) / LOOKUPS;
}
