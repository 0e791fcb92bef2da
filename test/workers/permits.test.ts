import type { ToMain } from '@callahead/core';
import test from 'ava';
import { type Borrower, createPermits } from '../../packages/workers/src/permits.ts';

function setUp() {
  const told: ToMain[] = [];
  const happened: string[] = [];
  const permits = createPermits((message) => told.push(message));
  const borrower = (name: string, idle = 0): Borrower => {
    let left = idle;
    return {
      lend: () => void happened.push(`${name} lend`),
      deny: () => void happened.push(`${name} deny`),
      closeIdle() {
        if (left === 0) return false;
        left--;
        happened.push(`${name} closes`);
        return true;
      },
      closeNext: () => void happened.push(`${name} closes next`),
    };
  };
  return { permits, told, borrower, happened: () => happened.splice(0) };
}

test('destinations that wait for the permits of one server get them in turns, however many each wants', (t) => {
  const { permits, borrower, happened, told } = setUp();
  const [greedy, modest] = [borrower('greedy'), borrower('modest')];
  for (let i = 0; i < 4; i++) permits.borrow('loan', greedy);
  permits.borrow('loan', modest);
  for (let i = 0; i < 4; i++) permits.lend('loan');
  permits.deny('loan', 1);
  t.deepEqual(happened(), ['greedy lend', 'modest lend', 'greedy lend', 'greedy lend', 'greedy deny']);
  permits.lend('loan');
  t.deepEqual(happened(), []);
  t.deepEqual(told.at(-1), { kind: 'returned', loan: 'loan', outcome: 'closed' });
});

test('a recall takes an idle connection of anybody, or the next one of whoever has most', (t) => {
  const { permits, borrower, happened } = setUp();
  const [one, three, two] = [borrower('one', 1), borrower('three'), borrower('two')];
  for (const who of [one, three, three, three, two, two]) {
    permits.borrow('loan', who);
    permits.lend('loan');
  }
  happened();
  permits.recall('loan');
  permits.giveBack('loan', one, 'idle');
  permits.recall('loan');
  permits.recall('nobody');
  t.deepEqual(happened(), ['one closes', 'three closes next']);
});
