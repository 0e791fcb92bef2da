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
const seconds = options.seconds ?? 2;

if (options.profile) await profileGateway(5 * seconds, options.only);
else await compare();

async function compare(): Promise<void> {
  const contenders = await startContenders(options.only);
  const figures = new Map(contenders.all.map(({ name }) => [name, new Map<Cell, Measured[]>()]));
  // Round 0 warms up: code, cache and connections.
  for (let round = 0; round <= rounds; round++) {
    for (const cell of CELLS) {
      for (const contender of contenders.all) {
        const measured = await meet(contender, cell, round);
        progress(`round ${round}, ${contender.name}, ${describeCell(cell)}: ${figure(measured.rate)} RCPT/s`);
        const cells = figures.get(contender.name);
        if (round > 0) cells?.set(cell, [...(cells.get(cell) ?? []), measured]);
      }
    }
  }
  await contenders.stop();
  const how = `medians of ${rounds} interleaved rounds of ${seconds} s; load average ${busy().toFixed(1)} at the end`;
  const parts = [how, report(figures), ...contenders.missing];
  answer('rcpt', parts.join('\n\n'), { 'rcpt.svg': draw(figures, `${machine()}; ${how}`) });
}

async function meet(contender: Contender, cell: Cell, round: number): Promise<Measured> {
  const { name, peer, distinct, sessions, patience } = contender;
  const measured = await measure(peer, {
    ...cell,
    sessions: sessions(cell),
    distinct,
    prefix: distinct === null ? `r${round}c${CELLS.indexOf(cell)}n` : 'u',
    seconds: seconds * patience,
  });
  const { accepted, shed, refused, broken } = measured;
  if (accepted === 0 || shed + refused + broken > 0) {
    const figures = JSON.stringify({ accepted, shed, refused, broken });
    throw new Error(`${name}, ${describeCell(cell)}: not every recipient was accepted: ${figures}`);
  }
  return measured;
}
