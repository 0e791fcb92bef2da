import test from 'ava';
import { cpuSecondsOf, megabytesOf, parseStat, peakMegabytesOf, treeOf } from '../../bench/support/processes.ts';

test('a line of /proc/PID/stat is read whatever the program is called', (t) => {
  const line = '42 (a) b (c) S 7 42 42 0 -1 4194304 1 2 3 4 10 20 30 40 20 0 1 0 100 200 300';
  t.deepEqual(parseStat(line), { pid: 42, parent: 7, ticks: 100 });
});

test('what is no such line is an error', (t) => {
  t.throws(() => parseStat('nothing'), { message: /no line of \/proc\/PID\/stat/ });
});

test('a tree has its root and all that descends from it', (t) => {
  const stat = (pid: number, parent: number) => ({ pid, parent, ticks: 0 });
  const all = [stat(1, 0), stat(2, 1), stat(3, 2), stat(4, 2), stat(5, 1)];
  t.deepEqual(
    treeOf(2, all).map(({ pid }) => pid),
    [2, 3, 4],
  );
});

test('this process has used CPU and memory, one that does not exist has not', (t) => {
  t.true(cpuSecondsOf(process.pid) > 0);
  t.true(megabytesOf(process.pid) > 1);
  t.true(peakMegabytesOf(process.pid) > 1);
  t.is(peakMegabytesOf(2 ** 30), 0);
  t.is(cpuSecondsOf(2 ** 30), 0);
});
