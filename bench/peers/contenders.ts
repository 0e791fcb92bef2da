/** Who takes part in the bench of recipients, and how each is treated. */
import { type Peer, startProgram } from '../support/children.ts';
import type { Cell } from '../support/rcpt-report.ts';
import { startGateway } from './gateway.ts';

export type Contender = Readonly<{
  name: string;
  peer: Peer;
  /** So many addresses, which come again and again; null: no address comes twice. */
  distinct: number | null;
  sessions: (cell: Cell) => number;
  /** The window in which answers are counted, in times of the bench's own. */
  patience: number;
}>;

export type Contenders = Readonly<{ all: readonly Contender[]; missing: readonly string[]; stop(): Promise<void> }>;

const DISTINCT = 10_000;

/** Starts the mail server behind them, and those whose names contain one of `only`. */
export async function startContenders(only: readonly string[]): Promise<Contenders> {
  const sink = await startProgram('sink');
  const echo = await startProgram('echo');
  const alone = await startProgram('smtp-server');
  const gateway = await startGateway({ sinkPort: sink.port });
  const peers = [echo, alone, gateway];
  const all: Contender[] = [
    { name: 'line echo (the limit)', peer: echo, distinct: DISTINCT, sessions: many, patience: 1 },
    { name: 'smtp-server alone', peer: alone, distinct: DISTINCT, sessions: many, patience: 1 },
    { name: 'callahead, cached', peer: gateway, distinct: DISTINCT, sessions: many, patience: 1 },
    { name: 'callahead, never seen', peer: gateway, distinct: null, sessions: many, patience: 1 },
  ];

  async function stop(): Promise<void> {
    for (const peer of [...peers, sink]) await peer.stop();
  }

  return { all: all.filter(({ name }) => isWanted(name, only)), missing: [], stop };
}

/** smtp-server greets after 100 ms: with fewer short sessions at once that would be measured. */
function many({ recipients }: Cell): number {
  return recipients >= 100 ? 100 : 400;
}

function isWanted(name: string, only: readonly string[]): boolean {
  return only.length === 0 || only.some((part) => name.includes(part));
}
