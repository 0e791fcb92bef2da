/** How many recipients a second does the gateway answer, from its cache and never seen, and at what cost, beside its peers? (900 s) */
import { type Contender, startContenders } from './peers/contenders.ts';
import { answer, progress } from './support/answer.ts';
import { type Measured, measure } from './support/children.ts';
import { profileGateway } from './support/gateway-profile.ts';
import { busy, machine } from './support/machine.ts';
import { readOptions } from './support/options.ts';
import { CELLS, type Cell, describeCell, draw, report } from './support/rcpt-report.ts';
import { figure } from './support/statistics.ts';

const options = readOptions();
const rounds = options.rounds ?? 5;
const seconds = options.seconds ?? 3;

if (options.profile) await profileGateway(5 * seconds, options.only);
else await compare();

async function compare(): Promise<void> {
  const contenders = await startContenders(options.only);
  const figures = new Map<string, Map<Cell, Measured[]>>();
  // Round 0 warms up: code, cache and connections.
  for (let round = 0; round <= rounds; round++) {
    for (const cell of CELLS) {
      for (const contender of contenders.inTurns) {
        const measured = await meet(contender, cell, round, seconds);
        if (round > 0) note(figures, contender, cell, measured);
      }
    }
  }
  for (const one of contenders.solo) {
    for (const cell of CELLS) {
      const contender = await one.start();
      note(figures, contender, cell, await meet(contender, cell, 0, one.seconds(cell)));
      await contender.peer.stop();
    }
  }
  await contenders.stop();
  const load = `load average ${busy().toFixed(1)} at the end`;
  const how = `medians of ${rounds} interleaved rounds of ${seconds} s (Postfix, never seen: a longer one); ${load}`;
  const parts = [how, report(figures), ...contenders.missing];
  answer('rcpt', parts.join('\n\n'), { 'rcpt.svg': draw(figures, `${machine()}; ${how}`) });
}

function note(figures: Map<string, Map<Cell, Measured[]>>, { name }: Contender, cell: Cell, measured: Measured): void {
  const cells = figures.get(name) ?? new Map<Cell, Measured[]>();
  figures.set(name, cells);
  cells.set(cell, [...(cells.get(cell) ?? []), measured]);
}

async function meet(contender: Contender, cell: Cell, round: number, windowSeconds: number): Promise<Measured> {
  const { name, peer, distinct, sessions } = contender;
  const measured = await measure(peer, {
    ...cell,
    sessions: sessions(cell),
    distinct,
    prefix: distinct === null ? `r${round}c${CELLS.indexOf(cell)}n` : 'u',
    seconds: windowSeconds,
  });
  const { accepted, deferred, refused, turnedAway, broken, rate } = measured;
  progress(`round ${round}, ${name}, ${describeCell(cell)}: ${figure(rate)} RCPT/s`);
  if (deferred + refused + turnedAway + broken > 0) {
    const counted = JSON.stringify({ accepted, deferred, refused, turnedAway, broken });
    throw new Error(`${name}, ${describeCell(cell)}: not every recipient was accepted: ${counted}`);
  }
  return measured;
}
