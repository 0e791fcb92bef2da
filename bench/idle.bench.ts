/** How much memory does one of 10,000 idle sessions take? (60 s) */
import { startGateway } from './peers/gateway.ts';
import { answer } from './support/answer.ts';
import { type Peer, startProgram } from './support/children.ts';
import { gather } from './support/crowd.ts';
import { megabytesOf } from './support/processes.ts';
import { figure } from './support/statistics.ts';
import { table } from './support/table.ts';

const SESSIONS = 10_000;

const rows = [await row(await startProgram('smtp-server'))];
const sink = await startProgram('sink');
rows.push(await row(await startGateway({ sinkPort: sink.port, limits: { sessions: 20_000 } })));
await sink.stop();
answer('idle', table(['', 'sessions open', 'memory before, MB', 'with them, MB', 'KB each'], rows));

async function row(peer: Peer): Promise<string[]> {
  const before = megabytesOf(peer.pid);
  const crowd = await gather(peer.port, SESSIONS, 0);
  const held = megabytesOf(peer.pid);
  await crowd.leave();
  await peer.stop();
  const each = ((held - before) * 1024) / crowd.opened;
  return [peer.name, figure(crowd.opened), figure(before), figure(held), figure(each)];
}
