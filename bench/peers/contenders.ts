/** Who takes part in the bench of recipients, and how each is treated. */
import { load, type Peer, startProgram } from '../support/children.ts';
import type { Cell } from '../support/rcpt-report.ts';
import { startExim } from './exim.ts';
import { startGateway } from './gateway.ts';
import { startHaraka } from './haraka.ts';
import { startPostfix } from './postfix.ts';

export type Contender = Readonly<{
  name: string;
  peer: Peer;
  /** So many addresses, which come again and again; null: no address comes twice. */
  distinct: number | null;
  sessions: (cell: Cell) => number;
}>;

/**
 * `solo` ones are too slow to be met in turns: what they are asked in one window keeps them busy for minutes. Each cell gets a fresh one, once.
 * `missing` says who could not be started, and why.
 */
export type Contenders = Readonly<{
  inTurns: readonly Contender[];
  solo: readonly Readonly<{ seconds: (cell: Cell) => number; start(): Promise<Contender> }>[];
  missing: readonly string[];
  stop(): Promise<void>;
}>;

const DISTINCT = 10_000;
/** Of those that verify slowly, so that their caches can be filled. */
const FEW = 500;
const FILL_SECONDS = 20;

/** Starts the mail server behind them, and those whose names contain one of `only`. */
export async function startContenders(only: readonly string[]): Promise<Contenders> {
  const wanted = (name: string): boolean => only.length === 0 || only.some((part) => name.includes(part));
  const started: Peer[] = [];
  const missing: string[] = [];
  const inTurns: Contender[] = [];
  const sink = await startProgram('sink');

  /** One peer, as what it is in the table: with few distinct recipients, with many, or with ever new ones. */
  async function enter(start: () => Promise<Peer>, entries: readonly Omit<Contender, 'peer'>[]): Promise<void> {
    const entering = entries.filter(({ name }) => wanted(name));
    if (entering.length === 0) return;
    try {
      const peer = await start();
      started.push(peer);
      inTurns.push(...entering.map((entry) => ({ ...entry, peer })));
    } catch (error) {
      missing.push(`${entries[0]?.name} takes no part: ${(error as Error).message}`);
    }
  }

  await enter(() => startProgram('echo'), [{ name: 'line echo (the limit)', distinct: DISTINCT, sessions: many }]);
  await enter(() => startProgram('smtp-server'), [{ name: 'smtp-server alone', distinct: DISTINCT, sessions: many }]);
  await enter(
    () => startGateway({ sinkPort: sink.port }),
    [
      { name: 'callahead, cached', distinct: DISTINCT, sessions: many },
      { name: 'callahead, never seen', distinct: null, sessions: many },
    ],
  );
  await enter(() => startHaraka(sink.port), [{ name: 'Haraka, which has no cache', distinct: null, sessions: some }]);
  await enter(
    () => startExim(sink.port),
    [
      { name: 'Exim, cached', distinct: FEW, sessions: few },
      { name: 'Exim, never seen', distinct: null, sessions: few },
    ],
  );
  await enter(() => startPostfix(sink.port), [{ name: 'Postfix, cached', distinct: FEW, sessions: some }]);
  for (const contender of inTurns.filter(({ distinct }) => distinct === FEW)) await fill(contender);

  const name = 'Postfix, never seen';
  const start = async (): Promise<Contender> => ({
    name,
    peer: await startPostfix(sink.port),
    distinct: null,
    sessions: () => 100,
  });
  const here = wanted(name) && !missing.some((text) => text.startsWith('Postfix'));
  return {
    inTurns,
    solo: here ? [{ seconds: patience, start }] : [],
    missing,
    async stop() {
      for (const peer of [...started, sink]) await peer.stop();
    },
  };
}

function fill({ peer, distinct, sessions }: Contender): Promise<unknown> {
  const cell: Cell = { recipients: 5, pipelined: false };
  return load({ ...cell, port: peer.port, sessions: sessions(cell), distinct, seconds: FILL_SECONDS });
}

/**
 * smtp-server and callahead greet after 100 ms: with fewer sessions at once that would be measured. With more, new recipients would be more than one
 * destination may have under way (SPEC 8.4).
 */
function many({ recipients }: Cell): number {
  return recipients >= 100 ? 200 : 2_000;
}

/** Postfix looks for an answer once a second, and writes the replies to a pipelined burst once it has all of them. */
function patience({ recipients, pipelined }: Cell): number {
  return pipelined ? 10 + 1.2 * recipients : 10;
}

/** So many that a session is through within the window: who answers 3,000 a second has 2,000 to answer. */
function some({ recipients }: Cell): number {
  return recipients >= 100 ? 20 : 100;
}

/** For servers that start a process for each session: more at once take longer and do no more. */
function few(): number {
  return 20;
}
