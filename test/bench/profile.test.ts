import test from 'ava';
import { categories, cut, functions, type Profile } from '../../bench/support/profile.ts';

const node = (id: number, functionName: string, url: string) => ({
  id,
  callFrame: { functionName, url, lineNumber: 9 },
});
const profile: Profile = {
  startTime: 1_000,
  nodes: [
    node(1, '(idle)', ''),
    node(2, 'parse', 'file:///home/me/callahead/packages/core/src/recipient.ts'),
    node(3, 'asJson', 'file:///home/me/node_modules/.pnpm/pino@10/node_modules/pino/lib/tools.js'),
    node(4, 'writev', ''),
    node(5, 'push', 'node:internal/streams/readable'),
  ],
  samples: [1, 2, 2, 3, 4, 5],
  timeDeltas: [100, 10, 20, 5, 4, 3],
};

test('self time is summed by function, the largest first', (t) => {
  t.deepEqual(functions(profile).slice(0, 3), [
    { name: '(idle)', us: 100 },
    { name: 'parse core/recipient.ts:10', us: 30 },
    { name: 'asJson pino/lib/tools.js:10', us: 5 },
  ]);
});

test('self time is summed by whose code it is', (t) => {
  t.deepEqual(
    categories(profile).map(({ name }) => name),
    ['(idle)', 'core', 'pino', 'native (sockets, writes, messages)', 'node'],
  );
});

test('what lies outside the window is cut off', (t) => {
  const { samples, timeDeltas } = cut(profile, { fromUs: 1_101, toUs: 1_135 });
  t.deepEqual(samples, [2, 2]);
  t.deepEqual(timeDeltas, [10, 20]);
});
