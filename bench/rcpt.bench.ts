/** How many recipients a second does the gateway answer, from its cache and never seen, beside smtp-server that accepts blindly? */
import { load, machine, median, type Peer, startGateway, startPeer } from './support/peer.ts';

const ROUNDS = 5;
const RECIPIENTS_A_ROUND = 60_000;

type Row = Readonly<{ name: string; port: number; fresh: boolean }>;

const sink = await startPeer('sink');
const peers: Record<string, Peer> = {
  echo: await startPeer('echo'),
  alone: await startPeer('smtp-server'),
  gateway: await startGateway(sink.port),
};
const rows: Row[] = [
  { name: 'line echo (the limit)', port: peers.echo?.port ?? 0, fresh: false },
  { name: 'smtp-server alone', port: peers.alone?.port ?? 0, fresh: false },
  { name: 'callahead, cached', port: peers.gateway?.port ?? 0, fresh: false },
  { name: 'callahead, never seen', port: peers.gateway?.port ?? 0, fresh: true },
];

const DISTINCT = 10_000;
let fresh = 10 * DISTINCT;
const out: string[] = [`${machine()}; pipelined; median of ${ROUNDS} interleaved rounds`, ''];
out.push(
  '| | 100 a session, RCPT/s | ratio | 5 a session, RCPT/s | ratio | load generator busy |',
  '|---|---|---|---|---|---|',
);

const figures = new Map<string, number[]>();
const busy = new Map<string, number[]>();
for (let round = 0; round <= ROUNDS; round++) {
  for (const recipients of [100, 5]) {
    for (const row of rows) {
      const total = recipients === 100 ? RECIPIENTS_A_ROUND : RECIPIENTS_A_ROUND / 4;
      const offset = row.fresh ? fresh : 0;
      if (row.fresh) fresh += total;
      const distinct = row.fresh ? total : DISTINCT;
      // Every server here greets after 100 ms: with fewer sessions at once that would be measured. More would overflow the accept queues, or, with
      // 100 recipients each, what the gateway lets one destination hold.
      const result = await load({
        port: row.port,
        sessions: total / recipients,
        recipients,
        concurrency: recipients === 100 ? 100 : 400,
        offset,
        distinct,
      });
      if (result.accepted !== result.rcpts)
        throw new Error(`${row.name}: ${result.accepted} of ${result.rcpts} accepted`);
      // Round 0 warms up: code, cache and connections.
      if (round === 0) continue;
      push(figures, `${row.name} ${recipients}`, result.rcpts / result.seconds);
      push(busy, row.name, result.cpuSeconds / result.seconds);
    }
  }
}
for (const { name } of rows) {
  const cells = [100, 5].flatMap((recipients) => {
    const own = median(figures.get(`${name} ${recipients}`) ?? []);
    const base = median(figures.get(`smtp-server alone ${recipients}`) ?? []);
    return [Math.round(own).toLocaleString('en'), (own / base).toFixed(2)];
  });
  out.push(`| ${[name, ...cells, `${Math.round(100 * median(busy.get(name) ?? []))} % of a core`].join(' | ')} |`);
}
process.stdout.write(`${out.join('\n')}\n`);
for (const peer of [...Object.values(peers), sink]) await peer.stop();

function push(into: Map<string, number[]>, key: string, figure: number): void {
  into.set(key, [...(into.get(key) ?? []), figure]);
}
