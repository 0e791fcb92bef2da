import type { Validate } from '@callahead/core';
import test from 'ava';
import { createTurns, type Turns } from '../../packages/listener/src/smtp/turns.ts';
import { connectClient } from '../support/dialogue.ts';
import { openFrontDoor } from '../support/front-door.ts';

/** One that has so many commands to obey, and does as sessions do. */
function session(turns: Turns, name: string, commands: number, log: string[]): () => void {
  return function run() {
    if (!turns.free()) {
      turns.wait(run, name.startsWith('begun'));
      return;
    }
    log.push(name);
    turns.spend(commands);
  };
}

test('sessions go on at once while a turn has room, and the others in later ones, in their order', async (t) => {
  const turns = createTurns(3);
  const log: string[] = [];
  for (const name of ['a', 'b', 'c', 'd', 'e']) session(turns, name, 2, log)();
  t.deepEqual(log, ['a', 'b']);
  await turn();
  t.deepEqual(log, ['a', 'b', 'c', 'd']);
  await turn();
  t.deepEqual(log, ['a', 'b', 'c', 'd', 'e']);
});

test('whoever comes while others wait goes behind them, though there is room', async (t) => {
  const turns = createTurns(2);
  const log: string[] = [];
  for (const name of ['a', 'b', 'c']) session(turns, name, 2, log)();
  await turn();
  session(turns, 'late', 1, log)();
  t.deepEqual(log, ['a', 'b']);
  await turn();
  await turn();
  t.deepEqual(log, ['a', 'b', 'c', 'late']);
});

test('whoever has begun goes before those that have not, of which one begins a turn', async (t) => {
  const turns = createTurns(1);
  const log: string[] = [];
  session(turns, 'first', 1, log)();
  for (const name of ['new a', 'new b', 'begun a', 'begun b', 'begun c']) session(turns, name, 1, log)();
  await turn();
  t.deepEqual(log, ['first', 'begun a', 'new a']);
  await turn();
  t.deepEqual(log, ['first', 'begun a', 'new a', 'begun b', 'new b']);
});

test('whoever begins while it waits, or begins anew, goes with those that have, and still has one place', async (t) => {
  const turns = createTurns(1);
  const log: string[] = [];
  session(turns, 'first', 1, log)();
  const run = (): void => void log.push('it');
  for (const hasBegun of [false, true, false]) turns.wait(run, hasBegun);
  await turn();
  await turn();
  t.deepEqual(log, ['first', 'it']);
});

test('whoever waits has one place, however often it asks', async (t) => {
  const turns = createTurns(1);
  const log: string[] = [];
  session(turns, 'a', 1, log)();
  const run = session(turns, 'b', 0, log);
  for (let asked = 0; asked < 3; asked++) run();
  await turn();
  await turn();
  t.deepEqual(log, ['a', 'b']);
});

test('a turn in which nothing was done leaves all of its room', async (t) => {
  const turns = createTurns(1);
  turns.spend(0);
  t.true(turns.free());
  turns.spend(1);
  t.false(turns.free());
  await turn();
  t.true(turns.free());
});

test('of many sessions that come at once only some have recipients under way', async (t) => {
  let underWay = 0;
  let most = 0;
  const validate: Validate = async () => {
    most = Math.max(most, ++underWay);
    await turn();
    underWay--;
    return { kind: 'valid', source: 'server', server: '' };
  };
  const { port } = await openFrontDoor(t, { validate });
  const clients = await Promise.all(Array.from({ length: 20 }, () => connectClient(port)));
  for (const client of clients) await client.reply();
  for (const client of clients) client.send('EHLO client.example\r\n');
  for (const client of clients) await client.reply();
  const rcpts = Array.from({ length: 90 }, (_, n) => `RCPT TO:<user${n}@example.com>\r\n`).join('');
  for (const client of clients) client.send(`MAIL FROM:<a@client.example>\r\n${rcpts}`);
  for (const client of clients) {
    for (let replies = 0; replies < 91; replies++) t.regex((await client.line()) ?? '', /^250 2\.1\.[05]/);
  }
  t.true(most <= 600, `${most} of 1,800 were under way at once`);
});

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
